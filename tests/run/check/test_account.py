"""What a board may say of itself: a survey with anything in it is refused or gives findings, and never a traceback."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeval.errors import BenchError
from edgeval.run.agent.survey import survey
from edgeval.run.check.account import read_survey
from edgeval.run.check.listing import findings
from tests.run.check.surveys import CORAL, FRESH, NOW, PLAIN

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.lists(st.text(), max_size=3)
)


KINDS = ("machine", "python", "home", "runtimes", "installer", "groups", "time", "paths", "memory_mb", "network")


@pytest.mark.parametrize("key", KINDS)
def test_a_value_of_another_kind_is_refused_by_name(key: str) -> None:
    with pytest.raises(BenchError, match=f"seen: {key}: ") as caught:
        read_survey(FRESH | {key: [1]})
    assert caught.value.exit_code == 4


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(FRESH)), ODD, st.sampled_from([PLAIN, CORAL]))
def test_no_account_raises_anything_else(key: str, value: Any, target: Any) -> None:
    try:
        found = findings(read_survey(FRESH | {key: value}), target, NOW)
    except BenchError:
        return
    for item in found:
        for step in item.mend:
            if step.startswith("ssh "):
                assert shlex.split(step)[:2] == ["ssh", "-t"]


def test_an_account_that_lacks_everything_is_refused() -> None:
    with pytest.raises(BenchError, match="account of itself"):
        read_survey({"machine": "aarch64"})


def test_this_computers_own_account_is_sound(tmp_path: Any) -> None:
    assert read_survey(survey(str(tmp_path)))["home"]

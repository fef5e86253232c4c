"""Tasks are found by name, and a wrong name is answered with the nearest."""

from __future__ import annotations

import pytest

from edgeval.errors import DataError
from edgeval.tasks import TASKS, task


@pytest.mark.parametrize("name", ["digits100", "cifar100"])
def test_each_task_is_complete(name: str) -> None:
    known = task(name)
    assert known.name == name
    assert known.scale == 1 / 255
    assert len(known.mean) == len(known.std) == 3
    assert known.summary


def test_cifar100_is_normalised_as_in_the_paper() -> None:
    assert task("cifar100").mean == (0.5071, 0.4867, 0.4408)
    assert task("cifar100").std == (0.2675, 0.2565, 0.2761)


@pytest.mark.parametrize(("wrong", "guess"), [("cifar10", "did you mean cifar100?"), ("", "choose from digits100")])
def test_a_wrong_name_is_answered_with_the_nearest(wrong: str, guess: str) -> None:
    with pytest.raises(DataError) as caught:
        task(wrong)
    assert guess in caught.value.hint
    assert caught.value.exit_code == 2
    assert set(TASKS) == {"digits100", "cifar100"}

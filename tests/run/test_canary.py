"""The canary by itself: which inputs are sent, and which answers stop a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeval.errors import IntegrityError
from edgeval.run.canary import agreement, compare, places

OLD = {"engine": "tflite-runtime", "version": "2.8.0", "kernels": "auto"}
NEW = {"engine": "litert", "version": "2.3.0", "kernels": "builtin"}
HOST = np.eye(8, 10, dtype=np.float32)


@pytest.mark.parametrize(
    ("n", "found"), [(1, [0]), (3, [0, 1, 2]), (8, list(range(8))), (100, [0, 14, 28, 42, 57, 71])]
)
def test_eight_inputs_spread_over_the_data(n: int, found: list[int]) -> None:
    chosen = places(n).tolist()
    assert chosen[: len(found)] == found
    assert len(chosen) == min(n, 8)
    assert chosen[-1] == n - 1


def test_the_same_answers_pass() -> None:
    assert compare(HOST, HOST + 0.1, NEW) == {"inputs": 8, "agreement": 1.0}


@pytest.mark.parametrize(("hello", "cause"), [(OLD, "edgeval export --for tflite-runtime"), (NEW, "another version")])
def test_one_answer_to_everything_stops_the_run(hello: dict[str, Any], cause: str) -> None:
    with pytest.raises(IntegrityError, match="one and the same answer to 8") as caught:
        compare(HOST, np.ones_like(HOST), hello)
    assert f"{hello['engine']} {hello['version']}" in str(caught.value)
    assert cause in caught.value.hint


def test_a_model_that_is_constant_on_the_desktop_too_may_be() -> None:
    assert compare(HOST * 0, HOST * 0, OLD)["agreement"] == 1.0


@pytest.mark.parametrize(("wrong", "stops"), [(0, False), (4, False), (5, True), (8, True)])
def test_most_classes_must_agree(wrong: int, stops: bool) -> None:
    device = HOST.copy()
    device[:wrong] = np.roll(HOST, 1, axis=1)[:wrong]
    if not stops:
        assert compare(HOST, device, NEW)["agreement"] == (8 - wrong) / 8
        return
    with pytest.raises(IntegrityError, match=r"38% of 8 agree|0% of 8 agree"):
        compare(HOST, device, NEW)


def test_a_tie_on_the_desktop_counts_as_either() -> None:
    host = np.array([[1, 1, 0], [0, 2, 2]], np.float32)
    assert agreement(host, np.array([[0, 1, 0], [0, 0, 1]], np.float32)) == 1.0


def test_regression_is_held_against_constant_answers_only() -> None:
    assert compare(HOST[:, :1], HOST[:, :1][::-1], NEW, classes=False) == {"inputs": 8}
    with pytest.raises(IntegrityError, match="one and the same"):
        compare(HOST[:, :1], HOST[:, :1] * 0, NEW, classes=False)


def test_one_input_alone_is_never_constant() -> None:
    assert compare(HOST[:1], HOST[:1], NEW)["agreement"] == 1.0

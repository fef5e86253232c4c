"""The front by hand, with ties and gaps, and against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.measures import pareto

GAP = np.nan
# accuracy (maximised), latency (minimised) of each candidate, and who is on the front
CASES = {
    "a trade": ([[0.7, 1.0], [0.9, 2.0]], [True, True]),
    "one beats the other": ([[0.7, 2.0], [0.9, 1.0]], [False, True]),
    "equal in one, better in the other": ([[0.9, 2.0], [0.9, 1.0]], [False, True]),
    "equals stay together": ([[0.9, 1.0], [0.9, 1.0], [0.8, 1.0]], [True, True, False]),
    "a gap takes the objective out": ([[0.9, GAP], [0.8, 1.0]], [True, False]),
    "nothing known": ([[GAP, GAP], [0.8, GAP]], [True, True]),
    "alone": ([[0.1, 9.0]], [True]),
}


@pytest.mark.parametrize(("values", "on"), CASES.values(), ids=CASES)
def test_front_by_hand(values: list[list[float]], on: list[bool]) -> None:
    assert pareto.front(np.array(values), np.array([True, False])).tolist() == on


def test_known_objectives() -> None:
    assert pareto.known(np.array([[1.0, GAP], [2.0, 3.0]])).tolist() == [True, False]


@pytest.mark.parametrize("seed", range(20))
def test_front_is_what_its_definition_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, maximise = rng.integers(0, 4, (12, 3)).astype(float), rng.random(3) < 0.5
    signed = [[v if up else -v for v, up in zip(row, maximise, strict=True)] for row in values]
    beaten = [
        any(all(o >= m for o, m in zip(other, mine, strict=True)) and other != mine for other in signed)
        for mine in signed
    ]
    on = pareto.front(values, maximise)
    assert on.tolist() == [not lost for lost in beaten]
    assert on.any()
    assert pareto.front(values[::-1], maximise).tolist() == on[::-1].tolist()

"""Error sets: by hand, against scikit-learn, and the bounds of Jaccard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score

from edgeval.measures import overlap

COUNTS = st.integers(0, 50)


@pytest.mark.parametrize(
    ("table", "jaccard", "largest", "independent"),
    [
        ((90, 6, 2, 2), 0.2, 0.5, 0.04 * 0.08 / (0.12 - 0.0032)),
        ((100, 0, 0, 0), None, None, None),
        ((0, 0, 0, 7), 1.0, 1.0, 1.0),
        ((5, 5, 0, 0), 0.0, 0.0, 0.0),
    ],
)
def test_by_hand(table: tuple[int, ...], jaccard: float, largest: float, independent: float) -> None:
    counts = overlap.FlipCounts(*table)
    assert overlap.jaccard(counts) == (None if jaccard is None else pytest.approx(jaccard))
    assert overlap.jaccard_max(counts) == (None if largest is None else pytest.approx(largest))
    assert overlap.jaccard_independent(counts) == (None if independent is None else pytest.approx(independent))


def test_counts_and_jaccard_of_vectors() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random(500) < 0.7, rng.random(500) < 0.6
    table = overlap.flips(a, b)
    assert table.n == 500
    assert table.lost - table.gained == a.sum() - b.sum()
    assert overlap.jaccard(table) == pytest.approx(jaccard_score(~a, ~b))


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_jaccard_never_exceeds_its_maximum(right: int, lost: int, gained: int, wrong: int) -> None:
    table = overlap.FlipCounts(right, lost, gained, wrong)
    found, largest = overlap.jaccard(table), overlap.jaccard_max(table)
    assert (found is None) == (lost + gained + wrong == 0)
    if found is not None:
        assert largest is not None
        assert found <= largest + 1e-12


@pytest.mark.parametrize(("models", "samples", "share"), [(7, 300, 0.3), (2, 1, 0.5), (4, 50, 0.0), (3, 50, 1.0)])
def test_jaccard_of_all_pairs_is_that_of_each(models: int, samples: int, share: float) -> None:
    wrong = np.random.default_rng(1).random((models, samples)) < share
    found = overlap.jaccard_pairs(wrong)
    for i, one in enumerate(wrong):
        for j, two in enumerate(wrong):
            expected = jaccard_score(one, two, zero_division=1.0)
            assert found[i, j] == pytest.approx(expected)

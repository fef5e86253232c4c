"""The true spread of classes, found again in tables that chance has widened."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.measures.spread import shrunk_shares


def test_the_spread_of_shrunk_shares_is_the_true_one() -> None:
    rng = np.random.default_rng(0)
    true = np.clip(rng.normal(0.7, 0.08, 400), 0, 1)
    right = rng.binomial(40, true)
    counts = np.stack([right, 40 - right], axis=1)
    assert (counts[:, 0] / 40).std() > 1.25 * true.std()
    assert shrunk_shares(counts)[:, 0].std() == pytest.approx(true.std(), rel=0.08)


def test_equal_classes_are_pulled_together_and_one_far_off_is_not() -> None:
    rng = np.random.default_rng(1)
    right = rng.binomial(100, 0.8, 50)
    right[7] = 20
    shares = shrunk_shares(np.stack([right, 100 - right], axis=1))[:, 0]
    assert abs(shares[7] - 0.2) < 0.06
    assert np.delete(shares, 7).std() < np.delete(right / 100, 7).std()


@pytest.mark.parametrize(
    "counts", [[[3, 0]], [[3, 0], [0, 2]], [[1, 0], [1, 0], [0, 1]], [[9, 0]] * 5, [[4, 1, 0, 2]] * 4]
)
def test_shares_sum_to_one_and_nothing_is_impossible(counts: list[list[int]]) -> None:
    shares = shrunk_shares(np.array(counts))
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(counts)))
    assert ((shares > 0) & (shares < 1)).all()


def test_many_tables_at_once_give_what_each_gives() -> None:
    counts = np.random.default_rng(2).multinomial([10, 20, 20, 30], [0.6, 0.1, 0.1, 0.2], size=(5, 4))
    assert shrunk_shares(counts) == pytest.approx(np.stack([shrunk_shares(one) for one in counts]))

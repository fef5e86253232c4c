"""The change of an exponent: its value by hand, its pairing, and the coverage of its interval."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.measures.alphas import alpha_change
from edgeval.measures.powerlaw import fit_power

SIZES = np.array([1e4, 1e5, 1e6])
SHARES = (0.4, 0.2, 0.1)


def first(share: float, n: int = 1000) -> np.ndarray:
    """One network that errs on the first images."""
    return (np.arange(n) < round(share * n))[None, :]


def test_the_value_is_the_difference_of_two_fits() -> None:
    before, after = [first(s) for s in SHARES], [first(s) for s in (0.5, 0.21, 0.1)]
    found = alpha_change(SIZES, before, after, resamples=200)
    fits = [fit_power(SIZES, np.array([rows.mean() for rows in side])).alpha for side in (before, after)]
    assert found.value == pytest.approx(fits[1] - fits[0])
    assert found.ci95[0] < found.value < found.ci95[1]
    assert not found.over_seeds


def test_what_did_not_change_has_no_spread() -> None:
    rng = np.random.default_rng(1)
    same = [rng.random((3, 500)) < s for s in SHARES]
    found = alpha_change(SIZES, same, same, resamples=100)
    assert (found.value, found.sd, found.ci95) == (0.0, 0.0, (0.0, 0.0))
    assert found.over_seeds


def test_an_error_of_none_gives_a_finite_number() -> None:
    found = alpha_change(SIZES, [first(s, 20) for s in SHARES], [first(s, 20) for s in (0.4, 0.2, 0.0)], resamples=50)
    assert np.isfinite([found.value, found.sd, *found.ci95]).all()


@pytest.mark.parametrize("seeds", [1, 3])
def test_its_interval_covers_the_true_change(seeds: int) -> None:
    rng, covered, worlds = np.random.default_rng(7), 0, 200
    flips, centred = np.array([0.06, 0.03, 0.01]), np.log(SIZES) - np.log(SIZES).mean()
    truth = -float(centred @ np.log1p(flips * (1 - np.array(SHARES)) / np.array(SHARES)) / (centred @ centred))
    for world in range(worlds):
        before = [rng.random((seeds, 800)) < s for s in SHARES]
        after = [rows | (rng.random(rows.shape) < f) for rows, f in zip(before, flips, strict=True)]
        low, high = alpha_change(SIZES, before, after, resamples=300, seed=world).ci95
        covered += low <= truth <= high
    assert covered / worlds > 0.90


def test_it_covers_too_where_networks_of_one_size_suffer_differently() -> None:
    """Three seeds whose share of flips is each its own, from a half to one and a half times the mean."""
    rng, covered, worlds = np.random.default_rng(9), 0, 150
    flips, centred = np.array([0.06, 0.03, 0.01]), np.log(SIZES) - np.log(SIZES).mean()
    truth = -float(centred @ np.log1p(flips * (1 - np.array(SHARES)) / np.array(SHARES)) / (centred @ centred))
    for world in range(worlds):
        before = [rng.random((3, 800)) < s for s in SHARES]
        own = [f * rng.uniform(0.5, 1.5, (3, 1)) for f in flips]
        after = [rows | (rng.random(rows.shape) < f) for rows, f in zip(before, own, strict=True)]
        low, high = alpha_change(SIZES, before, after, resamples=300, seed=world).ci95
        covered += low <= truth <= high
    assert covered / worlds > 0.88

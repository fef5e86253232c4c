"""Weighted sums of ln MSE: by hand, and intervals that cover what was put in."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.measures.logmse import LogMse, estimate, level_set, pooled_variance
from edgeval.measures.mselaw import slope

SIZES = np.geomspace(125, 4000, 8)


def test_an_estimate_by_hand() -> None:
    squares = np.array([[1.0, 3.0], [2.0, 6.0]])  # means 2 and 4, shares 0.5 and 1.5 in both
    one = LogMse.of(squares)
    assert one.seeds == pytest.approx(np.log([2, 4]))
    assert one.images == pytest.approx([-0.5, 0.5])
    other = LogMse(np.array([0.0, 1.0]), np.array([0.1, -0.1]))
    found = estimate([1.0, -2.0], [one, other])
    assert found is not None
    assert found.value == pytest.approx(1.5 * np.log(2) - 1.0)
    seeds, images = (np.log(2) ** 2 / 2 / 2, 4 * 0.5 / 2), 2 * 0.7**2 / 2  # images: -0.7 and 0.7
    assert found.se**2 == pytest.approx(sum(seeds) + images)
    assert found.freedom == pytest.approx((sum(seeds) + images) ** 2 / (seeds[0] ** 2 + seeds[1] ** 2 + images**2))
    assert (found.ci95[0] + found.ci95[1]) / 2 == pytest.approx(found.value)
    assert (one - one).images == pytest.approx([0, 0])


def test_one_seed_gives_an_interval_only_with_a_variance_from_elsewhere() -> None:
    logs = [LogMse.known(np.array([2.0])), LogMse.known(np.array([1.0, 3.0]))]
    assert estimate([1, 1], logs) is None
    found = estimate([1, 1], logs, pooled=(0.5, 4))
    assert found is not None
    assert (found.se**2, found.freedom) == (pytest.approx(0.5 * 1.5), 4)


def test_the_variance_over_seeds_is_pooled_over_sizes() -> None:
    logs = [LogMse(np.array(seeds), np.zeros(0)) for seeds in ([0.0, 2.0], [1.0, 1.0, 4.0])]
    assert pooled_variance(logs) == (pytest.approx((2 + 6) / 3), 3)
    assert pooled_variance([LogMse.known(np.array([1.0]))]) is None


@pytest.mark.parametrize("spread", [np.full(8, 0.1), np.geomspace(0.5, 0.05, 8)])
def test_the_interval_over_three_seeds_covers_the_exponent(spread: np.ndarray) -> None:
    rng, inside = np.random.default_rng(0), 0
    for _ in range(600):
        errors = SIZES[:, None] ** -1.3 * np.exp(rng.normal(size=(8, 3)) * spread[:, None])
        found = estimate(slope(SIZES), [LogMse.known(means) for means in errors])
        assert found is not None
        inside += found.ci95[0] <= 1.3 <= found.ci95[1]
    assert 0.92 < inside / 600 < 0.98


def drawn(rng: np.random.Generator, exponents: np.ndarray, n: int = 80) -> list[LogMse]:
    """Three seeds a size on n test images, each image with an error law of its own, of which `exponents` holds all."""
    hard = exponents[rng.integers(0, len(exponents), n)]
    seeds = rng.normal(size=(len(SIZES), 3, 1)) * 0.1
    noise = rng.chisquare(1, (len(SIZES), 3, n))
    return [LogMse.of((size / 1000) ** -hard * np.exp(s) * c) for size, s, c in zip(SIZES, seeds, noise, strict=True)]


def test_the_interval_covers_the_exponent_on_other_test_images_too() -> None:
    rng = np.random.default_rng(1)
    exponents = rng.normal(1.3, 0.8, 2000)
    truth = np.log([((size / 1000) ** -exponents).mean() for size in SIZES]) @ slope(SIZES)
    inside = without = 0
    for _ in range(400):
        logs = drawn(rng, exponents)
        found = estimate(slope(SIZES), logs)
        seeds = estimate(slope(SIZES), [LogMse(log.seeds, np.zeros(0)) for log in logs])
        assert found is not None
        assert seeds is not None
        inside += found.ci95[0] <= truth <= found.ci95[1]
        without += seeds.ci95[0] <= truth <= seeds.ci95[1]
    assert 0.92 < inside / 400 < 0.99
    assert without / 400 < 0.85  # that of the seeds alone is of these test images


def test_the_size_of_a_crossing_is_within_its_interval() -> None:
    rng, x, inside, both = np.random.default_rng(2), np.log(SIZES), 0, 0
    at = np.log(900.0)
    for _ in range(400):
        seeds = x[:, None] - at + rng.normal(size=(8, 3)) * 0.3
        found = level_set(x, [LogMse(lead, np.zeros(0)) for lead in seeds])
        assert found is not None
        low, high = found
        inside += (low is None or low <= at) and (high is None or high >= at)
        both += None not in found
    assert inside / 400 > 0.92
    assert both > 300


def test_a_level_that_is_never_near_has_no_interval_and_one_beyond_the_end_is_open() -> None:
    x = np.arange(4.0)
    sure = [LogMse(lead + np.array([-0.01, 0.01]), np.zeros(0)) for lead in x + 5]
    assert level_set(x, sure) is None
    assert level_set(x, [LogMse.known(np.array([1.0]))] * 4) is None
    near = [LogMse(lead + np.array([-0.01, 0.0, 0.01]), np.zeros(0)) for lead in x - 2.995]
    assert level_set(x, near) == (pytest.approx(2.975, abs=0.02), None)
    sharp = [LogMse(lead + np.array([-1e-5, 1e-5]), np.zeros(0)) for lead in 10 * (x - 1.3333)]
    assert level_set(x, sharp) == (pytest.approx(1.3333), pytest.approx(1.3333))  # between two places of the grid

"""Laws of a regressor's error: exponents and floors that were put in come out."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.measures.mselaw import geometric_mean, grid_noise, mse_law, over_seeds, pooled_variance, slope

SIZES = np.array([250.0, 500, 1000, 2000, 4000, 8000, 16000])
NOISE = np.exp(np.random.default_rng(0).normal(0, 0.05, (7, 4)))


def test_a_plain_law_comes_out_with_its_interval_and_no_floor() -> None:
    law = mse_law(SIZES, list(3 * SIZES[:, None] ** -1.3 * NOISE))
    assert law.power.alpha == pytest.approx(1.3, abs=0.05)
    assert law.spread is not None
    assert law.spread.ci95[0] < 1.3 < law.spread.ci95[1]
    assert (law.falls, law.floor) == (True, None)
    assert law.means[0] == pytest.approx(np.exp(np.log(3 * SIZES[0] ** -1.3 * NOISE[0]).mean()))


def test_a_floor_is_found_where_there_is_one() -> None:
    law = mse_law(SIZES, [np.array([2e-4 + 3 * size**-1.3]) for size in SIZES])
    assert law.floor == pytest.approx(2e-4, rel=0.02)
    assert law.spread is None
    assert not mse_law(SIZES[:3], [np.array([e]) for e in (3.0, 1.0, 2.0)]).falls


@pytest.mark.parametrize("errors", [[[1.0], [0.5]], [[1.0], [0.0], [0.5]], [[1.0], [], [0.5]]])
def test_what_gives_no_law_is_refused(errors: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=r"at least 3|above 0"):
        mse_law(SIZES[: len(errors)], [np.array(found) for found in errors])


def test_rounding_adds_a_twelfth_of_the_square_of_the_step() -> None:
    values = np.random.default_rng(1).random(100_000)
    assert ((np.round(values / 0.01) * 0.01 - values) ** 2).mean() == pytest.approx(grid_noise(0.01), rel=0.02)
    assert geometric_mean(np.array([1.0, 4.0])) == pytest.approx(2.0)


def test_the_variance_over_seeds_is_pooled_over_sizes() -> None:
    logs = [np.array([0.0, 2.0]), np.array([1.0, 1.0, 4.0])]
    assert pooled_variance(logs) == (pytest.approx((2 + 6) / 3), 3)
    assert pooled_variance([np.array([1.0])]) is None


@pytest.mark.parametrize("spread", [np.full(8, 0.1), np.geomspace(0.5, 0.05, 8)])
def test_the_interval_over_three_seeds_covers_the_exponent(spread: np.ndarray) -> None:
    sizes, rng = np.geomspace(125, 4000, 8), np.random.default_rng(0)
    inside = 0
    for _ in range(600):
        errors = sizes[:, None] ** -1.3 * np.exp(rng.normal(size=(8, 3)) * spread[:, None])
        found = over_seeds(slope(sizes, list(errors)))
        assert found is not None
        inside += found.ci95[0] <= 1.3 <= found.ci95[1]
    assert 0.92 < inside / 600 < 0.98

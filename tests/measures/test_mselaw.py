"""Laws of a regressor's error: exponents and floors that were put in come out."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.measures.logmse import LogMse
from edgeval.measures.mselaw import geometric_mean, grid_noise, mse_law

SIZES = np.array([250.0, 500, 1000, 2000, 4000, 8000, 16000])
NOISE = np.exp(np.random.default_rng(0).normal(0, 0.05, (7, 4)))


def test_a_plain_law_comes_out_with_its_interval_and_no_floor() -> None:
    law = mse_law(SIZES, [LogMse.known(means) for means in 3 * SIZES[:, None] ** -1.3 * NOISE])
    assert law.power.alpha == pytest.approx(1.3, abs=0.05)
    assert law.spread is not None
    assert law.spread.ci95[0] < 1.3 < law.spread.ci95[1]
    assert (law.falls, law.floor) == (True, None)
    assert law.means[0] == pytest.approx(np.exp(np.log(3 * SIZES[0] ** -1.3 * NOISE[0]).mean()))


def test_a_floor_is_found_where_there_is_one() -> None:
    law = mse_law(SIZES, [LogMse.known(np.array([2e-4 + 3 * size**-1.3])) for size in SIZES])
    assert law.floor == pytest.approx(2e-4, rel=0.02)
    assert law.spread is None
    assert not mse_law(SIZES[:3], [LogMse.known(np.array([e])) for e in (3.0, 1.0, 2.0)]).falls


def test_two_sizes_give_no_law() -> None:
    with pytest.raises(ValueError, match="at least 3"):
        mse_law(SIZES[:2], [LogMse.known(np.array([1.0])), LogMse.known(np.array([0.5]))])


def test_rounding_adds_a_twelfth_of_the_square_of_the_step() -> None:
    values = np.random.default_rng(1).random(100_000)
    assert ((np.round(values / 0.01) * 0.01 - values) ** 2).mean() == pytest.approx(grid_noise(0.01), rel=0.02)
    assert geometric_mean(np.array([1.0, 4.0])) == pytest.approx(2.0)

"""Errors of numbers against scikit-learn, plain loops and cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import max_error, mean_absolute_error, mean_squared_error, r2_score

from edgeval.measures.regression import Term, figures, movement, spread_of, studentised, within
from tests.benchmarks.regression_coverage import KINDS, coverage

Floats = NDArray[np.float64]
numbers = st.floats(-1e3, 1e3)


def two_sides(n: int = 60, seed: int = 3) -> tuple[Floats, Floats]:
    """Squared errors of both sides, correlated as those of a deployed copy are."""
    rng = np.random.default_rng(seed)
    before = rng.normal(0, 1, n)
    return before**2, (before + rng.normal(0.1, 0.4, n)) ** 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=40))
def test_figures_are_those_of_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    targets, values = np.array(pairs).T
    found = figures(targets, values)
    assert found.mse == pytest.approx(mean_squared_error(targets, values))
    assert found.mae == pytest.approx(mean_absolute_error(targets, values))
    assert found.max_abs == pytest.approx(max_error(targets, values))
    assert found.bias == pytest.approx(values.mean() - targets.mean(), abs=1e-9)
    if found.r2 is not None and targets.std() > 1e-3:
        assert found.r2 == pytest.approx(r2_score(targets, values))


def test_figures_by_hand() -> None:
    found = figures(np.array([0.0, 2.0, 4.0]), np.array([1.0, 2.0, 1.0]))
    assert (found.mse, found.mae, found.max_abs) == pytest.approx((10 / 3, 4 / 3, 3.0))
    assert (found.bias, found.r2) == pytest.approx((-2 / 3, 1 - 10 / 8))
    assert figures(np.ones(4), np.arange(4.0)).r2 is None
    assert spread_of(np.ones(4)) is None


def test_targets_too_close_to_square_count_as_constant() -> None:
    assert figures(np.array([0.0, 4e-273]), np.array([0.0, 1e3])).r2 is None
    assert figures(np.array([0.0, 4e-90]), np.array([0.0, 4e-90])).r2 == 1.0


def test_movement_and_tolerance_by_hand() -> None:
    found = movement(np.zeros(4), np.array([0.0, 3.0, -4.0, 0.0]))
    assert (found.rms, found.max) == (2.5, 4.0)
    targets = np.zeros((3, 2))
    values = np.array([[0.5, 1.0], [0.5, 1.01], [-0.51, 0.0]])
    assert within(targets, values, np.array([0.5, 1.0])).tolist() == [True, False, False]


def plain_t(term: Term, resamples: int) -> Floats:
    """Bootstrap-t draws by a loop, each resample taken out and worked on by itself."""
    rng, n = np.random.default_rng(9), len(term.top)
    ratio, found = term.top.mean() / term.below.mean(), []
    for _ in range(resamples):
        at = rng.integers(0, n, n)
        top, bottom = term.top[at], term.below[at]
        mine = top.mean() / bottom.mean()
        error = np.std(top - mine * bottom) / np.sqrt(n) / abs(bottom.mean())
        found.append(np.log(mine / ratio) / (error / mine) if term.log else (mine - ratio) / error)
    return np.array(found)


@pytest.mark.parametrize("kind", ["mean", "r2", "ratio"])
def test_intervals_are_those_of_a_plain_loop(kind: str) -> None:
    before, now = two_sides()
    spread = np.random.default_rng(5).normal(0, 2, len(now)) ** 2
    term = {"mean": Term(now - before), "r2": Term(before - now, spread), "ratio": Term(now, before, log=True)}[kind]
    t, below = plain_t(term, 6000), term.below
    ratio = term.top.mean() / below.mean()
    error = np.std(term.top - ratio * below) / np.sqrt(len(below)) / below.mean()
    low, high = np.quantile(t, [0.025, 0.975])
    ends = (ratio - error * high, ratio - error * low)
    if term.log:
        ends = (ratio * np.exp(-error / ratio * high), ratio * np.exp(-error / ratio * low))
    found = studentised({"x": term})["x"]
    assert found.estimate == pytest.approx(ratio)
    assert found.interval() == pytest.approx(ends, abs=0.06 * (ends[1] - ends[0]))


def test_the_normal_form_agrees_with_resampling_where_both_hold() -> None:
    before, now = two_sides(4000)
    terms = {"mse": Term(now - before), "ratio": Term(now, before, log=True)}
    resampled, normal = studentised(terms), studentised(terms, most_resampled=10)
    for name in terms:
        ends = resampled[name].interval()
        assert normal[name].interval() == pytest.approx(ends, abs=0.05 * (ends[1] - ends[0]))


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-12, 1e12), st.randoms(use_true_random=False))
def test_units_and_order_do_not_matter(unit: float, random: object) -> None:
    before, now = two_sides(40)
    plain = studentised({"x": Term(now, before, log=True)}, resamples=400)["x"].interval()
    scaled = studentised({"x": Term(now * unit, before * unit, log=True)}, resamples=400)["x"].interval()
    assert scaled == pytest.approx(plain, rel=1e-6)
    order = np.random.default_rng(1).permutation(40)
    moved = studentised({"x": Term(now[order], before[order], log=True)}, resamples=400)["x"]
    assert moved.estimate == pytest.approx(now.mean() / before.mean())


def test_what_has_too_little_behind_it_is_marked() -> None:
    one = np.zeros(200)
    few, alone = one.copy(), one + np.random.default_rng(0).normal(0, 0.01, 200)
    few[:3], alone[0] = 1.0, 50.0
    found = studentised({"few": Term(few), "alone": Term(alone), "none": Term(one)}, resamples=200)
    assert "only 3 samples" in found["few"].approximate
    assert "about 1 samples" in found["alone"].approximate
    assert (found["none"].approximate, found["none"].interval()) == ("", (0.0, 0.0))
    short = studentised({"x": Term(np.arange(29.0))}, resamples=200)["x"]
    assert "29 samples" in short.approximate


def test_every_interval_is_finite() -> None:
    for column in (np.array([5.0]), np.array([0.0, 1.0]), np.r_[np.zeros(99), 1e30]):
        assert np.isfinite(studentised({"x": Term(column)}, resamples=100)["x"].interval()).all()
    assert studentised({}) == {}


def test_intervals_cover_at_two_hundred_samples() -> None:
    found = coverage(KINDS["copy"], 200, repeats=250, resamples=300)
    assert min(found.hits.values()) >= 0.89
    assert found.false_pass <= 0.10

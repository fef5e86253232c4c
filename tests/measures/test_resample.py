"""The bootstrap engine: its schemes, and its agreement with a plain loop within Monte-Carlo error."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeval.measures import accuracy, calibration, resample
from edgeval.measures.resample import Resampled, Term

K, N, LOOPS = 40, 10_000, 400


def two_sides(n: int = N, seed: int = 0) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Labels, and for both sides who is right and how sure."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, K, n)
    skill = 1 + 0.8 * np.linspace(-1, 1, K)[labels] + rng.normal(size=n)
    right = [skill + rng.logistic(size=n) > less for less in (0.0, 0.3)]
    return labels, right, [1 / (1 + np.exp(-1.4 * skill)), 1 / (1 + np.exp(-skill))]


def engine(labels: np.ndarray, right: list[np.ndarray], sure: list[np.ndarray], pooled: bool) -> dict[str, np.ndarray]:
    """Draws of every kind of statistic, by tables and sums."""
    counts = np.bincount(labels * 4 + 2 * ~right[0] + ~right[1], minlength=4 * K).reshape(K, 4)
    sizes, n = counts.sum(axis=1), len(labels)
    blocks = resample.pooled_tables(counts, 4000) if pooled else resample.tables(counts / sizes[:, None], sizes, 4000)
    tables = np.concatenate(list(blocks))
    size = tables.sum(axis=2)
    one, two = ((tables[..., 0] + tables[..., i]) / size for i in (1, 2))
    indices = [calibration.bin_index(x) for x in sure], [calibration.mass_index(x) for x in sure]
    groups = {
        name: [Term(r - x, i, calibration.BINS) for r, x, i in zip(right, sure, index, strict=True)]
        for name, index in zip(("ece", "mass"), indices, strict=True)
    }
    found = resample.sums(groups | {"sure": [Term(sure[1] - sure[0])]}, labels, resamples=4000, pooled=pooled)
    drawn = {"gini": accuracy.gini(two) - accuracy.gini(one), "bottom5": accuracy.bottom(two, 5)}
    drawn |= {"bottom10": accuracy.bottom(two, 10) - accuracy.bottom(one, 10), "sure": found["sure"].draws[:, 0] / n}
    for name in ("ece", "mass"):
        first, second = np.split(np.abs(found[name].draws) / n, 2, axis=1)
        drawn |= {name: first.sum(axis=1), f"{name} change": second.sum(axis=1) - first.sum(axis=1)}
    return drawn


def plain_loop(labels: np.ndarray, right: list[np.ndarray], sure: list[np.ndarray], pooled: bool) -> dict[str, list]:
    """The same by drawing positions and calling the plain measures; equal-mass bins stay those of the sample."""
    rng, found = np.random.default_rng(9), defaultdict(list)
    members = [np.arange(len(labels))] if pooled else [np.flatnonzero(labels == k) for k in range(K)]
    mass = [calibration.mass_index(x) for x in sure]
    for _ in range(LOOPS):
        at = np.concatenate([rng.choice(m, len(m)) for m in members])
        one, two = (accuracy.class_accuracy(r[at], labels[at], K) for r in right)
        ece = [calibration.ece(x[at], r[at]) for r, x in zip(right, sure, strict=True)]
        gaps = [np.bincount(i[at], weights=(r - x)[at]) for r, x, i in zip(right, sure, mass, strict=True)]
        first, second = (float(np.abs(g).sum() / len(at)) for g in gaps)
        values = {"gini": accuracy.gini(two) - accuracy.gini(one), "bottom5": accuracy.bottom(two, 5)}
        values |= {"bottom10": accuracy.bottom(two, 10) - accuracy.bottom(one, 10), "ece": ece[0]}
        values |= {"ece change": ece[1] - ece[0], "mass": first, "mass change": second - first}
        for name, value in (values | {"sure": (sure[1] - sure[0])[at].mean()}).items():
            found[name].append(value)
    return found


@pytest.mark.parametrize("pooled", [False, True])
def test_every_statistic_agrees_with_a_plain_loop(pooled: bool) -> None:
    data = two_sides()
    fast, loop = engine(*data, pooled), plain_loop(*data, pooled)
    assert set(fast) == set(loop)
    for name, values in loop.items():
        mean, sd = np.mean(values), np.std(values)
        assert abs(fast[name].mean() - mean) < 4.5 * sd / np.sqrt(LOOPS), name
        assert abs(fast[name].std() / sd - 1) < 4.5 / np.sqrt(2 * LOOPS), name


def test_few_samples_are_weighted_and_many_are_normal_with_the_same_moments() -> None:
    labels, right, sure = two_sides(1500)
    groups = {"ece": [Term(r - x, calibration.bin_index(x), 15) for r, x in zip(right, sure, strict=True)]}
    exact, normal = (resample.sums(groups, labels, resamples=4000, few=few)["ece"] for few in (1500, 0))
    assert (exact.covariance == normal.covariance).all()
    sd = np.sqrt(np.diagonal(exact.covariance))
    for found in (exact, normal):
        assert (np.abs(found.draws.mean(axis=0) - found.observed) <= 5 * sd / np.sqrt(4000)).all()
        assert np.cov(found.draws.T) == pytest.approx(found.covariance, abs=0.08 * (sd**2).max())


def test_tables_keep_class_sizes_and_pooled_ones_only_the_total() -> None:
    counts = np.array([[5, 1], [0, 30], [1, 0]])
    sizes = counts.sum(axis=1)
    drawn = np.concatenate(list(resample.tables(counts / sizes[:, None], sizes, 50)))
    assert (drawn.sum(axis=2) == sizes).all()
    assert (drawn[:, 1] == [0, 30]).all()
    pooled = np.concatenate(list(resample.pooled_tables(counts, 50)))
    assert (pooled.sum(axis=(1, 2)) == counts.sum()).all()
    assert (pooled.sum(axis=2) != sizes).any()


def test_the_same_seed_gives_the_same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    shares, sizes, term = np.array([[0.5, 0.5], [0.1, 0.9]]), np.array([10, 20]), {"x": [Term(np.arange(30.0))]}
    labels = np.repeat([0, 1], [10, 20])

    def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
        tables = np.concatenate(list(resample.tables(shares, sizes, 64, seed=seed)))
        return tables, resample.sums(term, labels, resamples=64, seed=seed)["x"].draws

    first = drawn(3)
    assert all((x == y).all() for x, y in zip(first, drawn(3), strict=True))
    assert all((x != y).any() for x, y in zip(first, drawn(4), strict=True))
    monkeypatch.setattr(resample, "BLOCK_CELLS", 90)
    assert all((x == y).all() for x, y in zip(first, drawn(3), strict=True))


@pytest.mark.parametrize("few", [0, 2000])
def test_classes_of_one_sample_and_constant_terms_do_not_vary(few: int) -> None:
    labels, groups = np.array([0, 1, 2]), {"x": [Term(np.array([1.0, 2.0, 4.0]))]}
    found = resample.sums(groups, labels, resamples=20, few=few)["x"]
    assert (found.draws == 7).all()
    assert resample.sums({"x": [Term(np.ones(1))]}, labels[:1], resamples=5, few=few)["x"].draws.tolist() == [[1.0]] * 5


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(0, 1000))
def test_moments_ignore_the_order_of_samples_and_the_names_of_classes(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, values, index, order = rng.integers(0, 5, n), rng.random(n), rng.integers(0, 3, n), rng.permutation(n)
    names = rng.permutation(5)
    first = resample.sums({"x": [Term(values, index, 3)]}, labels, resamples=1, few=0)["x"]
    again = [Term(values[order], index[order], 3)]
    second = resample.sums({"x": again}, names[labels[order]], resamples=1, few=0)["x"]
    assert first.observed == pytest.approx(second.observed)
    assert first.covariance == pytest.approx(second.covariance, abs=1e-9)


def test_the_basic_interval_reflects_about_the_estimate() -> None:
    low, high = resample.basic(1.0, np.linspace(0.9, 1.3, 1001))
    assert (low, high) == pytest.approx((2 - 1.29, 2 - 0.91))
    assert Resampled(1.0, np.linspace(0.9, 1.3, 1001), "").interval() == pytest.approx((low, high))


def test_centre_slack_and_limits_shape_the_interval() -> None:
    draws = np.linspace(0.4, 0.8, 1001)
    found = Resampled(1.0, draws, "", centre=0.5, slack=(0.1, 0.2), limits=(0.0, 1.2))
    assert found.bias == pytest.approx(0.1)
    assert found.interval() == pytest.approx((1 - (0.79 - 0.5) - 0.1, 1.2))

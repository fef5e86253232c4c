"""The bootstrap: its weights, and its agreement with a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.measures import resample

LABELS = np.repeat(np.arange(5), [40, 60, 1, 99, 50])


def test_weights_keep_each_class_at_its_size() -> None:
    groups = resample.strata(LABELS)
    weights = np.concatenate(list(resample.weight_blocks(groups, 50, seed=1)))
    assert weights.shape == (50, 250)
    assert (np.add.reduceat(weights, groups.starts, axis=1) == groups.counts).all()


def test_the_same_seed_gives_the_same_interval_whatever_the_block() -> None:
    values = np.random.default_rng(0).random(len(LABELS))[resample.strata(LABELS).order]

    def mean(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"mean": weights @ values / len(values)}

    first = resample.resample(LABELS, mean, resamples=64, seed=3)["mean"]
    assert (first == resample.resample(LABELS, mean, resamples=64, seed=3)["mean"]).all()
    assert (first != resample.resample(LABELS, mean, resamples=64, seed=4)["mean"]).any()


def test_agrees_with_a_plain_loop() -> None:
    rng = np.random.default_rng(5)
    values = rng.random(len(LABELS))
    loop = []
    for _ in range(4000):
        drawn = np.concatenate([rng.choice(np.flatnonzero(k == LABELS), (k == LABELS).sum()) for k in range(5)])
        loop.append(values[drawn].mean())
    ordered = values[resample.strata(LABELS).order]
    fast = resample.resample(LABELS, lambda w: {"m": w @ ordered / len(ordered)}, resamples=4000)["m"]
    assert np.quantile(fast, [0.025, 0.5, 0.975]) == pytest.approx(np.quantile(loop, [0.025, 0.5, 0.975]), abs=4e-3)


def test_the_basic_interval_reflects_about_the_estimate() -> None:
    low, high = resample.basic(1.0, np.linspace(0.9, 1.3, 1001))
    assert (low, high) == pytest.approx((2 - 1.29, 2 - 0.91))

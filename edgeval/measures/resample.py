"""Bootstrap intervals: stratified by true class, seeded, basic (reverse percentile).

Each resample is a vector of weights over the samples; every statistic is a function of weighted sums, so one matrix
product serves all of them. `basic` turns resampled values into an interval: the plug-in figures for Gini, bottom-k and
ECE are biased, and resampling adds that bias once more; reflecting about the estimate takes it out again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
RESAMPLES = 2000
BLOCK_CELLS = 4_000_000


@dataclass(frozen=True)
class Resampled:
    """An estimate with its bootstrap draws. `approximate` says why it may not decide a gate; empty where it may."""

    estimate: float
    draws: Floats
    method: str
    approximate: str = ""

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Two-sided basic bootstrap interval; its ends are one-sided bounds at (1 + confidence) / 2."""
        return basic(self.estimate, self.draws, confidence)


@dataclass(frozen=True)
class Strata:
    """Samples sorted by class: `order` sorts them, `starts` are the first positions of the K non-empty classes."""

    order: Ints
    starts: Ints
    counts: Ints

    def class_means(self, values: Floats) -> Floats:
        """(..., K) mean of (..., N) sorted values in each class."""
        result: Floats = np.add.reduceat(values, self.starts, axis=-1) / self.counts
        return result


def strata(labels: Ints) -> Strata:
    """Group samples by their true class; classes without a sample are left out."""
    _, starts, counts = np.unique(np.sort(labels), return_index=True, return_counts=True)
    return Strata(np.argsort(labels, kind="stable"), starts.astype(np.int64), counts.astype(np.int64))


def weight_blocks(groups: Strata, resamples: int, seed: int) -> Iterator[Floats]:
    """Blocks (B, N) of bootstrap counts in sorted order: n_k draws with replacement within each class."""
    n = int(groups.counts.sum())
    rng = np.random.default_rng(seed)
    first = np.repeat(groups.starts, groups.counts)
    size = np.repeat(groups.counts, groups.counts)
    block = max(1, min(resamples, BLOCK_CELLS // n))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = first + (rng.random((rows, n)) * size).astype(np.int64)
        flat = (drawn + np.arange(rows)[:, None] * n).ravel()
        yield np.bincount(flat, minlength=rows * n).reshape(rows, n).astype(np.float64)


def resample(
    labels: Ints, statistics: Callable[[Floats], dict[str, Floats]], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Floats]:
    """(resamples,) values of each statistic; `statistics` maps sorted weights (B, N) to values (B,)."""
    parts = [statistics(weights) for weights in weight_blocks(strata(labels), resamples, seed)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def basic(estimate: float, resampled: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """Basic bootstrap interval: [2 t - q_hi, 2 t - q_lo] of the resampled quantiles about the estimate t."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return float(2 * estimate - high), float(2 * estimate - low)

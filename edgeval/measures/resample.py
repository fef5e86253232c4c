"""Bootstrap whose cost hardly depends on the number of samples: class tables and sums are drawn, not samples.

The scheme is the bootstrap stratified by true class (n_k draws with replacement within class k), or the unstratified
one (`pooled`). What depends only on how many samples of each class fall into each cell is drawn exactly, as multinomial
tables. Sums over samples are drawn exactly, by weights, while samples are few, and from the normal distribution with
the scheme's exact mean and covariance where they are many.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
RESAMPLES = 10_000
FEW = 2_000
BLOCK_CELLS = 4_000_000
CACHED_CELLS = 200_000  # int64 cells that stay in a processor's cache


@dataclass(frozen=True)
class Resampled:
    """An estimate with its bootstrap draws. `approximate` says why it may not decide a gate; empty where it may.

    centre: the value of the statistic in the world that the draws come from, None where that is the estimate itself.
    slack: how much further the lower and the upper end lie out, where the bias is known only within bounds.
    limits: values that the statistic cannot pass.
    """

    estimate: float
    draws: Floats
    method: str
    approximate: str = ""
    centre: float | None = None
    slack: tuple[float, float] = (0.0, 0.0)
    limits: tuple[float, float] = (-np.inf, np.inf)

    @property
    def bias(self) -> float:
        """Mean of the draws less the value in the world that they come from: the estimated bias of the estimate."""
        return float(self.draws.mean()) - (self.estimate if self.centre is None else self.centre)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Two-sided basic bootstrap interval; its ends are one-sided bounds at (1 + confidence) / 2."""
        low, high = basic(self.estimate, self.draws, confidence)
        shift = 0.0 if self.centre is None else self.centre - self.estimate
        ends = np.clip([low + shift - self.slack[0], high + shift + self.slack[1]], *self.limits)
        return float(ends[0]), float(ends[1])


@dataclass(frozen=True)
class Term:
    """A value of each sample that counts in one of `width` columns: (N,) values; (N,) index, None for one column."""

    values: Floats
    index: Ints | None = None
    width: int = 1


@dataclass(frozen=True)
class Sums:
    """Column sums over all samples: (J,) as observed, (J, J) covariance under the scheme, (resamples, J) drawn."""

    observed: Floats
    covariance: Floats
    draws: Floats


def basic(estimate: float, resampled: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """Basic bootstrap interval: [2 t - q_hi, 2 t - q_lo] of the resampled quantiles about the estimate t."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return float(2 * estimate - high), float(2 * estimate - low)


def tables(shares: Floats, sizes: Ints, resamples: int = RESAMPLES, *, seed: int = 0) -> Iterator[Ints]:
    """Blocks (B, K, J) of class tables: for each class, its size spread over J cells with (K, J) shares."""
    rng = np.random.default_rng(seed)
    block = max(1, min(resamples, BLOCK_CELLS // shares.size))
    for start in range(0, resamples, block):
        yield rng.multinomial(sizes, shares, size=(min(block, resamples - start), len(sizes)))


def pooled_tables(counts: Ints, resamples: int = RESAMPLES, *, seed: int = 0) -> Iterator[Ints]:
    """As `tables` for (K, J) observed counts under the unstratified scheme, in which class sizes vary too.

    A multinomial table of n is one of any t <= n with one of n - t added. Independent Poisson cells, which are quicker
    to draw, are one of their own total t; they are made to fall a little short of n, and the rest is drawn singly.
    """
    rng, cells, flat = np.random.default_rng(seed), counts.size, counts.ravel()
    n, block = int(flat.sum()), max(1, min(resamples, CACHED_CELLS // cells))
    short, cell = flat * max(0.0, 1 - 3 / np.sqrt(n)), np.repeat(np.arange(cells), flat)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = rng.poisson(short, size=(rows, cells))
        left = n - drawn.sum(axis=1)
        while (over := np.flatnonzero(left < 0)).size:
            drawn[over] = rng.poisson(short, size=(len(over), cells))
            left = n - drawn.sum(axis=1)
        at = np.repeat(np.arange(0, rows * cells, cells), left)
        at += cell[rng.integers(0, n, size=len(at))]
        drawn += np.bincount(at, minlength=rows * cells).reshape(rows, cells)
        yield drawn.reshape(rows, *counts.shape)


def sums(
    groups: Mapping[str, Sequence[Term]],
    labels: Ints,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    pooled: bool = False,
    few: int = FEW,
) -> dict[str, Sums]:
    """Sums of each group of terms, its columns beside each other and drawn jointly.

    Up to `few` samples the draws are exact (weights of the samples), above they are normal.
    """
    strata = np.zeros_like(labels) if pooled else np.unique(labels, return_inverse=True)[1].astype(np.int64)
    moments = {name: _moments(terms, strata) for name, terms in groups.items()}
    if len(labels) <= few:
        drawn = _weighted(groups, strata, resamples, seed)
    else:
        rng = np.random.default_rng(seed)
        drawn = {name: _normal(*found, rng, resamples) for name, found in moments.items()}
    return {name: Sums(*moments[name], drawn[name]) for name in groups}


def _moments(terms: Sequence[Term], strata: Ints) -> tuple[Floats, Floats]:
    """(J,) sums and (J, J) covariance of resampled sums: sum over strata of n_k x covariance within stratum k."""
    sizes = np.bincount(strata)
    by_class = np.concatenate([_by_class(term, strata, len(sizes)) for term in terms], axis=1)
    second = np.block([[_products(one, two) for two in terms] for one in terms])
    return by_class.sum(axis=0), second - (by_class / sizes[:, None]).T @ by_class


def _by_class(term: Term, strata: Ints, classes: int) -> Floats:
    """(K, width) sums of a term within each stratum."""
    at = strata if term.index is None else strata * term.width + term.index
    return np.bincount(at, weights=term.values, minlength=classes * term.width).reshape(classes, -1).astype(np.float64)


def _products(one: Term, two: Term) -> Floats:
    """(width, width) sums of products of two terms by the columns that they count in."""
    values = one.values * two.values
    at = np.zeros(len(values), dtype=np.int64) if one.index is None else one.index * two.width
    at = at if two.index is None else at + two.index
    return np.bincount(at, weights=values, minlength=one.width * two.width).reshape(one.width, -1).astype(np.float64)


def _normal(mean: Floats, covariance: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """(resamples, J) normal draws; a covariance that rounding made slightly indefinite is set right."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn: Floats = mean + rng.standard_normal((resamples, len(mean))) @ root.T
    return drawn


def _weighted(groups: Mapping[str, Sequence[Term]], strata: Ints, resamples: int, seed: int) -> dict[str, Floats]:
    """Exact draws: every resample is a vector of weights over the samples, one matrix product serves all columns."""
    order = np.argsort(strata, kind="stable")
    columns = [_spread(term)[order] for terms in groups.values() for term in terms]
    matrix = np.concatenate(columns, axis=1)
    drawn = np.concatenate([weights @ matrix for weights in _weights(np.bincount(strata), resamples, seed)])
    ends = np.cumsum([sum(term.width for term in terms) for terms in groups.values()])
    return dict(zip(groups, np.split(drawn, ends[:-1], axis=1), strict=True))


def _spread(term: Term) -> Floats:
    """(N, width), each sample's value in its column."""
    found = np.zeros((len(term.values), term.width))
    found[np.arange(len(found)), 0 if term.index is None else term.index] = term.values
    return found


def _weights(sizes: Ints, resamples: int, seed: int) -> Iterator[Floats]:
    """Blocks (B, N) of bootstrap counts of samples sorted by stratum: n_k draws with replacement within stratum k."""
    n, rng = int(sizes.sum()), np.random.default_rng(seed)
    first, size = np.repeat(np.cumsum(sizes) - sizes, sizes), np.repeat(sizes, sizes)
    block = max(1, min(resamples, BLOCK_CELLS // n))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = first + (rng.random((rows, n)) * size).astype(np.int64)
        flat = (drawn + np.arange(rows)[:, None] * n).ravel()
        yield np.bincount(flat, minlength=rows * n).reshape(rows, n).astype(np.float64)

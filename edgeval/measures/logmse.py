"""Weighted sums of logarithms of mean squared errors, with what seeds and test images do to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
POINTS = 200  # places between two sizes at which a level is looked for, beside the crossing


@dataclass(frozen=True)
class LogMse:
    """ln of the mean squared error of one size.

    seeds: (S,) of each network. images: (N,) what each test image adds to the mean over the networks, to first order:
    its square over the mean square, less 1, averaged over the networks; empty where the squares are not known.
    """

    seeds: Floats
    images: Floats

    @classmethod
    def of(cls, squares: Floats) -> LogMse:
        """From squared errors (S, N), of which no row is all 0."""
        means = squares.mean(axis=1)
        return cls(np.log(means), (squares / means[:, None]).mean(axis=0) - 1)

    @classmethod
    def known(cls, means: Floats) -> LogMse:
        """From mean squared errors (S,) alone."""
        return cls(np.log(means), np.zeros(0))

    def __sub__(self, other: LogMse) -> LogMse:
        """The ratio of two errors of the same networks and images, in the same order."""
        return LogMse(self.seeds - other.seeds, self.images - other.images)

    @property
    def mean(self) -> float:
        """ln of the geometric mean over the seeds."""
        return float(self.seeds.mean())


@dataclass(frozen=True)
class Estimate:
    """A weighted sum: its value, standard error and degrees of freedom (Welch, Satterthwaite)."""

    value: float
    se: float
    freedom: float

    @property
    def half(self) -> float:
        """Half of the 95% interval, by t."""
        from scipy.stats import t

        return float(t.ppf(0.975, self.freedom)) * self.se

    @property
    def ci95(self) -> tuple[float, float]:
        return self.value - self.half, self.value + self.half


def estimate(
    weights: Sequence[float], logs: Sequence[LogMse], pooled: tuple[float, int] | None = None
) -> Estimate | None:
    """The sum of weights times means. None unless every size has two seeds, or `pooled` gives the variance over seeds.

    Seeds vary by each size's own variance: the smallest training sets vary by far the most. Test images are the same
    for all sizes, so that their parts are summed before they are squared. Both variances add; what a seed does on one
    image is in both, which makes the interval a little too wide.
    """
    if pooled is None and any(len(log.seeds) < 2 for log in logs):
        return None
    shares = np.array([w**2 / len(log.seeds) for w, log in zip(weights, logs, strict=True)])
    if pooled is None:
        parts = [(s * float(log.seeds.var(ddof=1)), len(log.seeds) - 1) for s, log in zip(shares, logs, strict=True)]
    else:
        parts = [(float(shares.sum()) * pooled[0], pooled[1])]
    images = np.asarray(sum(w * log.images for w, log in zip(weights, logs, strict=True)))
    if len(images) > 1:
        parts.append((float(images.var(ddof=1)) / len(images), len(images) - 1))
    variances, freedoms = (np.array(column, float) for column in zip(*parts, strict=True))
    value = float(sum(w * log.mean for w, log in zip(weights, logs, strict=True)))
    return Estimate(value, float(variances.sum()) ** 0.5, float(_freedom(variances[:, None], freedoms)[0]))


def _freedom(variances: Floats, freedoms: Floats) -> Floats:
    """Degrees of freedom of sums of variances (parts, points), of `freedoms` (parts,)."""
    below = (variances**2 / freedoms[:, None]).sum(axis=0)
    total = variances.sum(axis=0) ** 2
    return np.asarray(np.where(below > 0, total / np.where(below > 0, below, 1), freedoms.sum()))


def pooled_variance(logs: Sequence[LogMse]) -> tuple[float, int] | None:
    """The variance of ln MSE over seeds, pooled over sizes, and its degrees of freedom; None without two seeds."""
    freedom = sum(len(log.seeds) - 1 for log in logs)
    if freedom < 1:
        return None
    return sum(float(((log.seeds - log.mean) ** 2).sum()) for log in logs) / freedom, freedom


def level_set(x: Floats, leads: Sequence[LogMse]) -> tuple[float | None, float | None] | None:
    """Where the lead, straight between the x of neighbours, cannot be told from 0 at 95%: the least and the largest x.

    None in the place of an end that lies outside of the x; None for both where the lead is told from 0 everywhere, or
    where a size has one seed only. Inverts the test at every x, so that an end may lie in another stretch than the
    crossing.
    """
    if any(len(lead.seeds) < 2 for lead in leads):
        return None
    found = [_undecided(x[k : k + 2], leads[k : k + 2]) for k in range(len(x) - 1)]
    inside = np.concatenate(found)
    if not len(inside):
        return None
    low, high = float(inside.min()), float(inside.max())
    return (None if low <= x[0] else low, None if high >= x[-1] else high)


def _undecided(ends: Floats, leads: Sequence[LogMse]) -> Floats:
    """The x of one stretch at which the lead is within its t interval of 0."""
    from scipy.stats import t

    one, two = leads
    share = np.linspace(0, 1, POINTS + 1)
    if one.mean * two.mean < 0:  # the crossing itself is inside, however narrow the interval
        share = np.sort(np.append(share, one.mean / (one.mean - two.mean)))
    mixed = np.stack([1 - share, share])  # (2, points)
    seeds = np.array([lead.seeds.var(ddof=1) / len(lead.seeds) for lead in leads])
    variances, freedoms = [*(mixed**2 * seeds[:, None])], [len(lead.seeds) - 1 for lead in leads]
    if (n := len(one.images)) > 1:
        both = np.cov(one.images, two.images) / n
        variances.append(np.einsum("ik,ij,jk->k", mixed, both, mixed))
        freedoms.append(n - 1)
    made = np.stack(variances)
    half = t.ppf(0.975, _freedom(made, np.array(freedoms, float))) * np.sqrt(made.sum(axis=0))
    lead = mixed[0] * one.mean + mixed[1] * two.mean
    return np.asarray((ends[0] + share * (ends[1] - ends[0]))[np.abs(lead) <= half])

"""Many classes at once: is the worst of them worse than chance explains, and which lost more than a margin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeval.measures.paired import TAIL, Floats, holm, rarer_cell, tango_bound, tango_z, z_value

Ints = NDArray[np.int64]
PRIOR_FLIPS = 20
CLEAR = 1.0  # standard errors beyond the margin from which a tail is summed exactly


@dataclass(frozen=True)
class Classes:
    """Named classes against a margin, each (C,).

    delta: observed change; low and high: Tango's one-sided bounds of it, each at the full confidence. Every class has
    low >= -margin: PASS, without a correction (intersection-union). p: `damage_p` of "lost at most the
    margin", adjusted by Holm; at or under 1 - confidence that class fails, with the family-wise error at that level
    or under. p_alone: not adjusted.
    """

    delta: Floats
    low: Floats
    high: Floats
    p: Floats
    p_alone: Floats


def worst_class(lost: ArrayLike, gained: ArrayLike, share: float = 0.5) -> tuple[int, float]:
    """The class that lost most beyond chance, and the p-value of that over all classes: (C,) counts in.

    Under no change each discordant pair of class k (D_k of them) is a fair coin: lost_k ~ binomial(D_k, 1/2), classes
    independent given the D_k. The statistic is the smallest of p_k = P(binomial(D_k, 1/2) >= lost_k). Its null
    distribution needs no simulation: P(min_k p_k <= t) = 1 - prod_k (1 - F_k(t)), where F_k(t) = P(p_k <= t) is the
    largest level at or under t that p_k can reach at all. With no discordant pair the p-value is 1.

    `share` bends the coin: the chance that a flip is a loss where something was lost everywhere.

    A finding: it may fail a rule, and never passes one (no evidence of damage is not evidence of none).
    """
    lost, both = np.asarray(lost, dtype=np.int64), np.asarray(lost, dtype=np.int64) + np.asarray(gained, dtype=np.int64)
    p = _tail(lost, both, share)
    index = int(np.argmin(p))
    # Levels of different D_k can be equal (2 of 3 heads or more, 1 of 1): rounding must not tell them apart.
    reached = _reached(float(p[index]) * (1 + 1e-9), both, share)
    if (reached >= 1).any():
        return index, 1.0
    return index, float(-np.expm1(np.log1p(-reached).sum()))


def named_classes(
    lost: ArrayLike, gained: ArrayLike, counts: ArrayLike, *, margin: ArrayLike, confidence: float = 0.95
) -> Classes:
    """Bounds and Holm-adjusted p-values of classes with (C,) lost, gained and n >= 1; margin >= 0, one or (C,)."""
    lost, gained, counts, margin = np.broadcast_arrays(*(np.asarray(x) for x in (lost, gained, counts, margin)))
    z = z_value(confidence)
    each = zip(lost.tolist(), gained.tolist(), counts.tolist(), margin.tolist(), strict=True)
    p = np.array([damage_p(*one) for one in each])
    return Classes(
        delta=(gained - lost) / counts,
        low=tango_bound(lost, gained, counts, z),
        high=-tango_bound(gained, lost, counts, z),
        p=holm(p),
        p_alone=p,
    )


def damage_p(lost: int, gained: int, n: int, margin: float) -> float:
    """One-sided p-value of "the drop is at most the margin", for margin >= 0: small where more was lost.

    The chance that Tango's statistic comes out as low or lower, summed over the trinomial with its unknown share of
    discordant pairs at its maximum-likelihood value under a drop of just the margin. The normal tail is too light where
    few are gained: at n = 500 it is up to 1.7 times too small at 0.0005, which is where Holm looks among 100 classes.
    """
    from scipy.special import bdtrc
    from scipy.stats import binom

    statistic = float(tango_z(lost, gained, n, -margin))
    if statistic > -CLEAR:
        return NormalDist().cdf(statistic)
    rarer = float(rarer_cell(*(np.asarray(x, dtype=float) for x in (lost, gained, n, margin))))
    discordance = min(1.0, 2 * rarer + margin)
    both = np.arange(int(binom.ppf(TAIL, n, discordance)), int(binom.isf(TAIL, n, discordance)) + 1)
    low, high = np.full(len(both), -1), both + 1  # `high` lost are as extreme as observed, or no number is
    while (high - low > 1).any():
        middle = np.maximum((low + high) // 2, 0)
        extreme = tango_z(middle, both - middle, n, -margin) <= statistic + 1e-9
        low, high = np.where(extreme, low, middle), np.where(extreme, middle, high)
    tail = np.where(high > 0, bdtrc(np.maximum(high - 1, 0).astype(float), both, (rarer + margin) / discordance), 1.0)
    return min(1.0, float((binom.pmf(both, n, discordance) * np.where(high > both, 0.0, tail)).sum()))


def others_share(lost: ArrayLike, gained: ArrayLike) -> float:
    """The share of losses among the flips of all classes but the worst, and at least 1/2; (C,) counts in.

    They count as if 20 more had flipped, evenly; and one standard error is added, since the share is estimated: without
    it 6.5% of runs find something at a level of 5%. One share for all classes: were each class's own left out for it,
    levels that are equal would seem to differ.
    """
    losses = np.asarray(lost, dtype=np.int64)
    flips = losses + np.asarray(gained, dtype=np.int64)
    worst = int(np.argmin(_tail(losses, flips, 0.5)))
    n = float(flips.sum() - flips[worst] + PRIOR_FLIPS)
    found = float(losses.sum() - losses[worst] + PRIOR_FLIPS / 2) / n
    return min(1.0, max(0.5, found + math.sqrt(found * (1 - found) / n)))


def _tail(heads: Ints, tosses: Ints, share: float) -> Floats:
    """P(binomial(tosses, share) >= heads), elementwise; heads from 0 to tosses + 1."""
    from scipy.special import bdtr

    # P(X >= h) is the chance of at most tosses - h tails, which bdtr gives without subtracting from 1.
    below = np.maximum(tosses - heads, 0).astype(float)
    return np.where(heads > tosses, 0.0, bdtr(below, tosses, 1 - share))


def _reached(level: float, tosses: Ints, share: float) -> Floats:
    """For each number of tosses the largest upper tail at or under the level; 0 where even all heads are above it."""
    low, high = np.full(tosses.shape, -1), tosses + 1  # the tail of `low` is above the level, that of `high` is not
    while (high - low > 1).any():
        middle = (low + high) // 2
        under = _tail(np.maximum(middle, 0), tosses, share) <= level
        low, high = np.where(under, low, middle), np.where(under, middle, high)
    return _tail(high, tosses, share)

"""Tests and intervals for proportions, single and paired, and the images that they need.

Paired counts: `lost` = right on the reference side only, `gained` = right on the candidate's side only, `n` = all
samples of both sides; the difference is delta = (gained - lost) / n, candidate minus reference.
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Alternative = Literal["greater", "less"]
HALVINGS = 52  # of an interval no longer than 2: down to the spacing of floats near 1
TAIL = 1e-12  # probability of discordant counts that a sum over them may leave out


def z_value(confidence: float) -> float:
    """One-sided normal quantile: 1.645 at 0.95."""
    return NormalDist().inv_cdf(confidence)


def mcnemar_exact(lost: int, gained: int) -> float:
    """Two-sided exact McNemar p-value: binomial test of lost among lost + gained at 1/2; 1 where nothing flipped."""
    return float(mcnemar_each(np.array([lost]), np.array([gained]))[0])


def mcnemar_each(lost: ArrayLike, gained: ArrayLike) -> Floats:
    """Two-sided exact McNemar p-values of many classes at once: (C,) counts in, (C,) p-values out."""
    from scipy.special import bdtr

    lost, gained = np.asarray(lost), np.asarray(gained)
    tail: Floats = bdtr(np.minimum(lost, gained).astype(float), lost + gained, 0.5)
    return np.minimum(1.0, 2 * tail)


def mcnemar_midp(lost: int, gained: int) -> float:
    """Two-sided mid-p McNemar p-value: twice P(X < m) + P(X = m) / 2, X binomial(lost + gained, 1/2), m the smaller.

    Fagerland, Lydersen and Laake 2013 (doi 10.1186/1471-2288-13-91); 1 where lost = gained.
    """
    from scipy.stats import binom

    fewer, both = min(lost, gained), lost + gained
    return min(1.0, 2 * float(binom.cdf(fewer, both, 0.5)) - float(binom.pmf(fewer, both, 0.5)))


def tango_z(lost: ArrayLike, gained: ArrayLike, n: ArrayLike, delta0: ArrayLike) -> Floats:
    """Tango's score statistic of delta = delta0, elementwise: large where the candidate is better than delta0.

    (gained - lost - n delta0) / sqrt(n (2 q + delta0 (1 - delta0))), q the maximum-likelihood probability of `lost`
    under delta0 (Tango 1998, Statistics in Medicine 17:891, eq. 6-7). Where the variance is 0: infinite, or 0 where the
    numerator is 0 too.
    """
    lost, gained, n, delta0 = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (lost, gained, n, delta0)))
    # For delta0 >= 0 and mirrored otherwise: so mirrored counts give the very same number with the other sign.
    sign = np.where(delta0 < 0, -1.0, 1.0)
    plus, minus, d = np.where(delta0 < 0, lost, gained), np.where(delta0 < 0, gained, lost), np.abs(delta0)
    q = rarer_cell(plus, minus, n, d)
    variance = n * (2 * q + d * (1 - d))
    above = plus - minus - n * d
    # Rounding leaves about 1e-16 n of variance where it should be 0, at d = 1 or with no discordant pair at d = 0.
    flat = np.where(np.abs(above) < 1e-9, 0.0, np.copysign(np.inf, above))
    safe = variance > 1e-12 * n
    return np.asarray(sign * np.divide(above, np.sqrt(variance, where=safe, out=np.ones_like(d)), out=flat, where=safe))


def rarer_cell(plus: Floats, minus: Floats, n: Floats, d: Floats) -> Floats:
    """Maximum-likelihood probability of `minus` where that of `plus` is larger by d >= 0, elementwise: the larger root
    of 2 n q^2 + b q + c = 0. With d >= 0, c <= 0, and no near-equals are subtracted."""
    b, c = (2 * n - plus + minus) * d - plus - minus, -minus * d * (1 - d)
    root = np.sqrt(np.maximum(b * b - 8 * n * c, 0))
    down = b + root
    return np.where(b > 0, np.divide(-2 * c, down, out=np.zeros_like(down), where=down > 0), (root - b) / (4 * n))


def tango_p(lost: int, gained: int, n: int, delta0: float, alternative: Alternative) -> float:
    """One-sided p-value of Tango's score test.

    "greater" tests H0: delta <= delta0 (small p: the candidate is better than that), "less" H0: delta >= delta0. The
    ends of `tango` at confidence 1 - 2 p are where this p-value is reached.
    """
    z = float(tango_z(lost, gained, n, delta0))
    return NormalDist().cdf(-z if alternative == "greater" else z)


def tango_bound(lost: ArrayLike, gained: ArrayLike, n: ArrayLike, z: float) -> Floats:
    """Lower one-sided score bounds of delta, elementwise: the delta0 where the statistic is z >= 0; in [-1, 1].

    The upper bound is -tango_bound(gained, lost, n, z). By bisection: the statistic falls strictly with delta0.
    """
    lost, gained, n = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (lost, gained, n)))
    low, high = np.full(lost.shape, -1.0), (gained - lost) / n
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        outside = tango_z(lost, gained, n, middle) > z
        low, high = np.where(outside, middle, low), np.where(outside, high, middle)
    return np.asarray((low + high) / 2)


def tango(lost: int, gained: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Tango's two-sided score interval of delta = (gained - lost) / n; each end is one-sided at (1 + confidence) / 2.

    Good also without discordant pairs, where n = 1, and where every pair is discordant. Needs n >= 1.
    """
    low, high = tango_bound([lost, gained], [gained, lost], n, z_value((1 + confidence) / 2)).tolist()
    return low, -high


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float] | None:
    """Wilson's two-sided score interval for a proportion; None where n is 0."""
    if n <= 0:
        return None
    z = z_value(0.5 + confidence / 2)
    p, z2 = successes / n, z * z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * float(np.sqrt(p * (1 - p) / n + z2 / (4 * n * n)))
    return max(0.0, centre - half), min(1.0, centre + half)


def clopper_pearson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float] | None:
    """Exact two-sided interval for a proportion, each end one-sided at (1 + confidence) / 2; None where n is 0.

    Wider than Wilson's; for decisions: a bound below a limit is wrong at most as often as its level says, at any n.
    """
    from scipy.special import betaincinv

    if n <= 0:
        return None
    tail = (1 - confidence) / 2
    low = float(betaincinv(successes, n - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0
    return low, high


def benjamini_hochberg(p: Floats) -> Floats:
    """Adjusted p-values (q) of Benjamini and Hochberg, in the order given."""
    count = len(p)
    order = np.argsort(p)[::-1]
    scaled = p[order] * count / np.arange(count, 0, -1)
    q = np.empty(count)
    q[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return q


def holm(p: ArrayLike) -> Floats:
    """Holm's adjusted p-values, in the order given: at or under a level they control the family-wise error there."""
    p = np.asarray(p, dtype=float)
    count = len(p)
    order = np.argsort(p)
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(count, 0, -1)), 1.0)
    return adjusted


def smallest_detectable_drop(lost: int, gained: int, n: int, confidence: float = 0.95, power: float = 0.8) -> float:
    """Smallest drop in accuracy that a paired test on these n samples would likely have seen.

    Normal approximation with the observed share of discordant pairs d (at least one pair):
    (z_confidence + z_power) x sqrt(d / n), one-sided.
    """
    share = max(lost + gained, 1) / n
    return float((z_value(confidence) + z_value(power)) * np.sqrt(share / n))


def images_needed(
    margin: float, discordance: float, *, confidence: float = 0.95, power: float = 0.8, drop: float = 0.0
) -> int:
    """Images for which a model with this true drop passes `max_drop = margin` with chance `power`.

    (z_confidence + z_power)^2 (d - drop^2) / (margin - drop)^2, d the share of discordant pairs (lost or gained).
    ValueError where the drop reaches the margin (no number of images passes then) or exceeds d.
    """
    _check(discordance, drop)
    if drop >= margin:
        raise ValueError(f"a true drop of {drop:g} is not inside the margin of {margin:g}; no number of images passes")
    z = z_value(confidence) + z_value(power)
    return max(1, ceil(z * z * (discordance - drop * drop) / (margin - drop) ** 2))


def pass_chance(n: int, margin: float, discordance: float, *, confidence: float = 0.95, drop: float = 0.0) -> float:
    """Chance that a model with this true drop and share of discordant pairs passes `max_drop = margin` on n images.

    Exact sum over the trinomial (lost, gained, same): PASS where Tango's one-sided lower bound is above -margin.
    """
    from scipy.special import bdtr
    from scipy.stats import binom

    _check(discordance, drop)
    if discordance == 0:
        return float(tango_z(0, 0, n, -margin) >= z_value(confidence))
    both = np.arange(int(binom.ppf(TAIL, n, discordance)), int(binom.isf(TAIL, n, discordance)) + 1)
    most = most_lost(both, n, margin, confidence)
    down = min(1.0, (1 + drop / discordance) / 2)
    inside = np.where(most < 0, 0.0, bdtr(np.maximum(most, 0).astype(float), both, down))
    return float(min(1.0, (binom.pmf(both, n, discordance) * inside).sum()))


def most_lost(both: NDArray[np.int64], n: int, margin: float, confidence: float) -> NDArray[np.int64]:
    """For each number of discordant pairs the most of them that may be lost in a PASS; -1 where none does."""
    z = z_value(confidence)
    low, high = np.full(len(both), -1), both + 1  # low passes (or is -1), high does not: fewer lost is always better
    while (high - low > 1).any():
        middle = (low + high) // 2
        passes = (middle >= 0) & (tango_z(middle, both - middle, n, -margin) >= z)
        passes |= middle < 0
        low, high = np.where(passes, middle, low), np.where(passes, high, middle)
    return low


def images_needed_share(limit: float, share: float, *, confidence: float = 0.95, power: float = 0.8) -> int:
    """Images for which a model with this true share passes `max = limit` with chance `power`; normal approximation.

    ((z_confidence sqrt(L (1 - L)) + z_power sqrt(s (1 - s))) / (L - s))^2; ValueError where s reaches L.
    """
    if not 0 <= share < limit <= 1:
        raise ValueError(f"a true share of {share:g} is not inside the limit of {limit:g}; no number of images passes")
    spread = z_value(confidence) * sqrt(limit * (1 - limit)) + z_value(power) * sqrt(share * (1 - share))
    return max(1, ceil((spread / (limit - share)) ** 2))


def pass_chance_share(n: int, limit: float, share: float, *, confidence: float = 0.95) -> float:
    """Chance that a model with this true share (of images lost, say) passes `max = limit` on n images.

    Exact: PASS where the one-sided Clopper-Pearson upper bound is at or under the limit.
    """
    from scipy.stats import binom

    counts = np.arange(int(binom.ppf(1 - confidence, n, limit)) + 1)
    passing = counts[binom.cdf(counts, n, limit) <= 1 - confidence]
    return float(binom.cdf(passing[-1], n, share)) if len(passing) else 0.0


def _check(discordance: float, drop: float) -> None:
    """The drop is the difference of the two kinds of discordant pairs, so it cannot exceed their sum."""
    if not abs(drop) <= discordance <= 1:
        raise ValueError(
            f"a drop of {drop:g} needs at least that share of changed answers; discordance is {discordance:g}"
        )


def below_p(successes: ArrayLike, n: ArrayLike, limit: ArrayLike) -> Floats:
    """One-sided exact p-values of "the share is at least `limit`", elementwise: P(binomial(n, limit) <= successes)."""
    from scipy.stats import binom

    return np.asarray(binom.cdf(successes, n, limit))

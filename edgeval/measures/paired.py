"""Tests and intervals for proportions, single and paired."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def mcnemar_exact(lost: int, gained: int) -> float:
    """Two-sided exact McNemar p-value: binomial test of lost among lost + gained at 1/2; 1 where nothing flipped."""
    from scipy.stats import binomtest

    return float(binomtest(lost, lost + gained, 0.5).pvalue) if lost + gained else 1.0


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float] | None:
    """Wilson's score interval for a proportion; None where n is 0."""
    from scipy.stats import norm

    if n <= 0:
        return None
    z = float(norm.ppf(0.5 + confidence / 2))
    p, z2 = successes / n, z * z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * float(np.sqrt(p * (1 - p) / n + z2 / (4 * n * n)))
    return max(0.0, centre - half), min(1.0, centre + half)


def benjamini_hochberg(p: Floats) -> Floats:
    """Adjusted p-values (q) of Benjamini and Hochberg, in the order given."""
    count = len(p)
    order = np.argsort(p)[::-1]
    scaled = p[order] * count / np.arange(count, 0, -1)
    q = np.empty(count)
    q[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return q


def smallest_detectable_drop(lost: int, gained: int, n: int, confidence: float = 0.95, power: float = 0.8) -> float:
    """Smallest drop in accuracy that a paired test on these n samples would likely have seen.

    Normal approximation with the observed share of discordant pairs d (at least one pair):
    (z_confidence + z_power) x sqrt(d / n), one-sided.
    """
    from scipy.stats import norm

    share = max(lost + gained, 1) / n
    return float((norm.ppf(confidence) + norm.ppf(power)) * np.sqrt(share / n))

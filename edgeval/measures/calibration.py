"""Calibration: does confidence mean what it says, and could it mean just that?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

BINS = 15
CLIP = 1e-12
PARTS = 8


@dataclass(frozen=True)
class Bins:
    """A reliability diagram: (B,) edges lo and hi, counts, and sums of confidence and of right answers."""

    lo: Floats
    hi: Floats
    n: Ints
    confidence: Floats
    right: Floats


def bin_index(confidences: Floats, bins: int = BINS) -> Ints:
    """(N,) equal-width bin (lo, hi] of each confidence: 0 goes to the first bin, 1.0 to the last (PAPERS 1.3)."""
    edges = np.linspace(0, 1, bins + 1)
    return np.clip(np.searchsorted(edges, confidences, side="left") - 1, 0, bins - 1).astype(np.int64)


def reliability(confidences: Floats, correct: Bools, bins: int = BINS) -> Bins:
    """The equal-width bins of a reliability diagram."""
    index, edges = bin_index(confidences, bins), np.linspace(0, 1, bins + 1)
    return Bins(
        edges[:-1],
        edges[1:],
        np.bincount(index, minlength=bins).astype(np.int64),
        np.bincount(index, weights=confidences, minlength=bins).astype(np.float64),
        np.bincount(index, weights=correct, minlength=bins).astype(np.float64),
    )


def ece(confidences: Floats, correct: Bools, bins: int = BINS) -> float:
    """Expected calibration error: sum over equal-width bins of share x |accuracy - mean confidence|."""
    found = reliability(confidences, correct, bins)
    return float(np.abs(found.right - found.confidence).sum() / len(confidences))


def mass_index(confidences: Floats, bins: int = BINS) -> Ints:
    """(N,) equal-mass bin of each sample: sorted by confidence (stable), cut at rank floor(i N / bins)."""
    n = len(confidences)
    found = np.empty(n, dtype=np.int64)
    cuts = np.arange(bins) * n // bins
    found[np.argsort(confidences, kind="stable")] = np.searchsorted(cuts, np.arange(n), side="right") - 1
    return found


def ece_equal_mass(confidences: Floats, correct: Bools, bins: int = BINS) -> float:
    """As `ece`, with bins of equal count (`mass_index`)."""
    gaps = np.bincount(mass_index(confidences, bins), weights=correct - confidences, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidences))


def consistency(confidences: Floats, correct: Bools, index: Ints, *, resamples: int = 2000, seed: int = 0) -> float:
    """p-value of perfect calibration: how often labels drawn from the confidences give at least the ECE observed.

    index: (N,) bin of each sample. Consistency resampling (Broecker and Smith 2007). Samples of a bin are drawn in
    PARTS groups of like confidence, each one binomial at its mean confidence: the spread within a group is too small
    to matter, and it could only make the null wider.
    """
    width = index.max() + 1
    order = np.lexsort((confidences, index))
    first = np.searchsorted(index[order], np.arange(width))
    size = np.bincount(index, minlength=width)
    part = (np.arange(len(order)) - first[index[order]]) * PARTS // size[index[order]]
    group = index[order] * PARTS + part
    sizes = np.bincount(group, minlength=width * PARTS)
    sure = np.bincount(group, weights=confidences[order], minlength=width * PARTS)
    chance = np.clip(sure / np.maximum(sizes, 1), 0.0, 1.0)
    drawn = np.random.default_rng(seed).binomial(sizes, chance, size=(resamples, len(sizes))) - sure
    null = np.abs(drawn.reshape(resamples, width, PARTS).sum(axis=2)).sum(axis=1)
    seen = np.abs(np.bincount(index, weights=correct - confidences, minlength=width)).sum()
    return float((1 + (null >= seen * (1 - 1e-12)).sum()) / (1 + resamples))


def excess(mean: Floats, sd: Floats) -> Floats:
    """E|X| - |mean| of a normal X: 2 (sd phi(z) - |mean| Phi(-z)), z = |mean| / sd; largest, 0.8 sd, at mean 0."""
    from scipy.special import ndtr

    safe = np.where(sd > 0, sd, 1.0)
    z = np.abs(mean) / safe
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    found: Floats = np.where(sd > 0, 2 * safe * (density - z * ndtr(-z)), 0.0)
    return found


def nll_terms(probabilities: Floats, labels: Ints) -> tuple[Floats, int]:
    """(N,) negative log-likelihood of each label in nats, probabilities clipped at 1e-12; and how many were clipped."""
    own = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.maximum(own, CLIP)), int((own < CLIP).sum())


def brier_terms(probabilities: Floats, labels: Ints) -> Floats:
    """(N,) squared distance of the probability vector from the label's, summed over classes (0..2)."""
    own = probabilities[np.arange(len(labels)), labels]
    result: Floats = (probabilities**2).sum(axis=1) - 2 * own + 1
    return result

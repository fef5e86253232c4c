"""Calibration: does confidence mean what it says?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

BINS = 15
CLIP = 1e-12


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


def ece_equal_mass(confidences: Floats, correct: Bools, bins: int = BINS) -> float:
    """As `ece`, with bins of equal count: sorted by confidence (stable), cut at rank floor(i N / bins)."""
    order = np.argsort(confidences, kind="stable")
    gaps = (correct[order] - confidences[order]).astype(np.float64)
    cuts = np.unique(np.arange(bins) * len(gaps) // bins)
    return float(np.abs(np.add.reduceat(gaps, cuts)).sum() / len(gaps))


def nll_terms(probabilities: Floats, labels: Ints) -> tuple[Floats, int]:
    """(N,) negative log-likelihood of each label in nats, probabilities clipped at 1e-12; and how many were clipped."""
    own = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.maximum(own, CLIP)), int((own < CLIP).sum())


def brier_terms(probabilities: Floats, labels: Ints) -> Floats:
    """(N,) squared distance of the probability vector from the label's, summed over classes (0..2)."""
    own = probabilities[np.arange(len(labels)), labels]
    result: Floats = (probabilities**2).sum(axis=1) - 2 * own + 1
    return result

"""Accuracy by class, and how unevenly it is spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def in_top_k(outputs: NDArray[np.floating], labels: Ints, k: int) -> Bools:
    """(N,) whether the label is among the k highest of (N, C) outputs; ties go to the lower index."""
    own = outputs[np.arange(len(labels)), labels][:, None]
    index = np.arange(outputs.shape[1])
    ahead = (outputs > own) | ((outputs == own) & (index < labels[:, None]))
    found: Bools = ahead.sum(axis=1) < k
    return found


def class_counts(labels: Ints, classes: int) -> Ints:
    """(C,) samples of each class."""
    return np.bincount(labels, minlength=classes).astype(np.int64)


def class_accuracy(correct: Bools, labels: Ints, classes: int) -> Floats:
    """(C,) accuracy of each class; NaN for a class without a sample."""
    counts = class_counts(labels, classes)
    right = np.bincount(labels, weights=correct, minlength=classes)
    accuracy: Floats = np.divide(right, counts, out=np.full(classes, np.nan), where=counts > 0)
    return accuracy


def gini(accuracy: Floats) -> Floats:
    """Gini coefficient of class accuracies along the last axis (NaN entries must have been dropped).

    x ascending, n classes: G = (2 sum_i i x_i - (n + 1) sum x) / (n sum x); 0 where all are zero (PAPERS 1.3).
    """
    x = np.sort(accuracy, axis=-1)
    n = x.shape[-1]
    total = x.sum(axis=-1)
    weighted = (np.arange(1, n + 1) * x).sum(axis=-1)
    safe = np.where(total > 0, total, 1.0)
    return np.where(total > 0, (2 * weighted - (n + 1) * total) / (n * safe), 0.0)


def bottom(accuracy: Floats, k: int) -> Floats:
    """Mean of the k lowest class accuracies along the last axis; of all where there are fewer than k."""
    k = min(k, accuracy.shape[-1])
    lowest: Floats = np.partition(accuracy, k - 1, axis=-1)[..., :k]
    return np.asarray(lowest.mean(axis=-1))

"""What would make a candidate's confidences mean what they say again: a temperature, and a threshold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Logits = NDArray[np.floating] | NDArray[np.integer]
LOWEST, HIGHEST = 0.01, 100.0
BLOCK_CELLS = 1_000_000
LOWEST_LOG = float(np.log(1e-12))  # stands for -inf, below the row's highest value
NEWTON, STEPS = 8, 100


def temperature(logits: Logits, labels: Ints) -> float:
    """The T in [0.01, 100] with the lowest NLL of softmax(logits / T); logits or log-probabilities (N, C), N >= 1.

    The NLL is convex in b = 1 / T, so its slope has one zero: Newton steps in log b inside a bracket. Where the NLL
    falls all the way with T (every label has the highest logit of its row) T is the lower bound 0.01; where it rises
    all the way (no better than guessing) the upper bound 100; where no T changes it (constant rows) 1. A value of -inf
    counts as log 1e-12 below the row's highest. ValueError at NaN, inf or a row of -inf. Guo et al. 2017, section 4.
    """
    ends = (-float(np.log(HIGHEST)), -float(np.log(LOWEST)))  # of log b
    if all((block == 0).all() for block, _ in _blocks(logits, labels)):
        return 1.0
    if all((own == 0).all() for _, own in _blocks(logits, labels)):
        return LOWEST
    (low, high), at, seen = ends, 0.0, set[float]()
    for count in range(STEPS):
        slope, curvature = _slope(logits, labels, float(np.exp(at)))
        seen.add(at)
        low, high = (at, high) if slope <= 0 else (low, at)
        end = ends[slope <= 0]
        if at == end:
            break
        step = at - slope / (curvature * np.exp(at)) if curvature > 0 else np.inf
        if abs(step - at) < 1e-9:
            break
        # Newton creeps where only a few labels are not the highest; then every second step halves the bracket.
        if not low < step < high or (count > NEWTON and count % 2):
            step = (low + high) / 2 if end in seen else end
        at = float(step)
    return float(np.clip(np.exp(-at), LOWEST, HIGHEST))


def nll(logits: Logits, labels: Ints, temperature: float = 1.0) -> float:
    """Mean negative log-likelihood (nats) of the labels under softmax(logits / temperature)."""
    total = 0.0
    for block, own in _blocks(logits, labels):
        total += float(np.log(np.exp(block / temperature).sum(axis=1)).sum() - (own / temperature).sum())
    return total / len(labels)


def confidences(logits: Logits, temperature: float = 1.0) -> Floats:
    """(N,) highest probability of softmax(logits / temperature)."""
    nobody = np.zeros(len(logits), dtype=np.int64)
    return np.concatenate([1 / np.exp(block / temperature).sum(axis=1) for block, _ in _blocks(logits, nobody)])


@dataclass(frozen=True)
class OperatingPoint:
    """The candidate's threshold that accepts as large a share of the samples as the reference's does.

    Accepted means confidence >= threshold. Accuracies are those of the accepted samples, None where none is accepted.
    `unchanged`: the candidate at the reference's own threshold.
    """

    threshold_reference: float
    accepted_reference: float
    accuracy_reference: float | None
    threshold: float
    accepted: float
    accuracy: float | None
    accepted_unchanged: float
    accuracy_unchanged: float | None


def operating_point(
    reference: Floats, right_reference: Bools, candidate: Floats, right_candidate: Bools, *, threshold: float = 0.5
) -> OperatingPoint:
    """Restore the reference's operating point on the candidate's confidences; each array (N,), N >= 1.

    Tied confidences (the int8 grid) are accepted or rejected together: of the shares that can be reached the nearest is
    taken, and of two equally near ones that with the higher threshold.
    """
    wanted = int((reference >= threshold).sum())
    values, counts = np.unique(candidate, return_counts=True)
    # From the highest threshold, just above every confidence, to the lowest: how many samples are accepted.
    thresholds = np.append(np.nextafter(values[-1].astype(float), np.inf), values[::-1].astype(float))
    reached = np.append(0, np.cumsum(counts[::-1]))
    found = float(thresholds[np.argmin(np.abs(reached - wanted))])
    share, accuracy = _accepted(candidate, right_candidate, found)
    share_reference, accuracy_reference = _accepted(reference, right_reference, threshold)
    share_unchanged, accuracy_unchanged = _accepted(candidate, right_candidate, threshold)
    return OperatingPoint(
        threshold_reference=threshold,
        accepted_reference=share_reference,
        accuracy_reference=accuracy_reference,
        threshold=found,
        accepted=share,
        accuracy=accuracy,
        accepted_unchanged=share_unchanged,
        accuracy_unchanged=accuracy_unchanged,
    )


def _accepted(confidence: Floats, right: Bools, threshold: float) -> tuple[float, float | None]:
    """Share of samples accepted, and their accuracy."""
    taken = confidence.astype(float) >= threshold
    return float(taken.mean()), float(right[taken].mean()) if taken.any() else None


def _blocks(logits: Logits, labels: Ints) -> Iterator[tuple[Floats, Floats]]:
    """Blocks of rows as float64, each row's highest value moved to 0, and the label's value in each row."""
    rows = max(1, BLOCK_CELLS // logits.shape[1])
    for start in range(0, len(logits), rows):
        block = logits[start : start + rows].astype(np.float64)
        highest = block.max(axis=1, keepdims=True)
        if not np.isfinite(highest).all():
            raise ValueError("logits hold NaN, inf or a row of -inf")
        block -= highest
        block[np.isneginf(block)] = LOWEST_LOG
        yield block, block[np.arange(len(block)), labels[start : start + rows]]


def _slope(logits: Logits, labels: Ints, inverse: float) -> tuple[float, float]:
    """First and second derivative of the mean NLL in b = 1 / T: mean of E[z] - z_label, and of Var[z] under softmax."""
    slope = curvature = 0.0
    for block, own in _blocks(logits, labels):
        weight = np.exp(block * inverse)
        total = weight.sum(axis=1)
        weight *= block
        mean = weight.sum(axis=1) / total
        weight *= block
        curvature += float((weight.sum(axis=1) / total - mean * mean).sum())
        slope += float((mean - own).sum())
    return slope / len(labels), curvature / len(labels)

"""One side of a comparison: what statistics need of each sample, and every measure of the whole table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgeval.measures import accuracy, calibration
from edgeval.records.findings import Bin
from edgeval.records.predictions import Predictions, softmax

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
BOTTOMS = {"bottom5": 5, "bottom10": 10, "bottom20": 20}
BLOCK_CELLS = 1_000_000


@dataclass(frozen=True)
class Facts:
    """What the statistics need of N samples of C classes.

    labels: (N,); correct: (N,); confidences: (N,) of the top-1 answer, None for bare classes;
    terms: (N,) values whose mean is a measure (top5, nll, brier), as far as outputs are known.
    """

    labels: Ints
    classes: int
    correct: Bools
    confidences: Floats | None
    terms: dict[str, Floats]
    clipped: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def class_accuracy(self) -> Floats:
        """(C,), NaN where a class has no sample."""
        return accuracy.class_accuracy(self.correct, self.labels, self.classes)

    @cached_property
    def figures(self) -> dict[str, float]:
        """Every measure. Classes without a sample are left out of Gini and bottom-k."""
        seen = self.class_accuracy[~np.isnan(self.class_accuracy)]
        found = {"top1": float(self.correct.mean()), **{name: float(v.mean()) for name, v in self.terms.items()}}
        if self.confidences is not None:
            found["ece"] = calibration.ece(self.confidences, self.correct)
            found["ece_equal_mass"] = calibration.ece_equal_mass(self.confidences, self.correct)
        found["gini"] = float(accuracy.gini(seen))
        return found | {name: float(accuracy.bottom(seen, k)) for name, k in BOTTOMS.items()}


@dataclass(frozen=True)
class Side:
    """The measures of one table of predictions."""

    table: Predictions

    @cached_property
    def facts(self) -> Facts:
        """What the statistics need; outputs are read in blocks of rows, so that no second (N, C) array arises."""
        table = self.table
        found = Facts(table.labels, len(table.class_names), table.correct, None, {})
        if table.outputs is None:
            return found
        n = len(table)
        confidences, own, brier, top5 = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
        for rows in _blocks(table):
            outputs, labels = table.outputs[rows], table.labels[rows]
            p = softmax(outputs.astype(np.float64)) if table.kind == "logits" else outputs.astype(np.float64)
            confidences[rows], own[rows] = p.max(axis=1), p[np.arange(len(p)), labels]
            brier[rows] = calibration.brier_terms(p, labels)
            top5[rows] = accuracy.in_top_k(outputs, labels, 5)
        nll, clipped = calibration.nll_terms(own[:, None], np.zeros(n, dtype=np.int64))
        terms = {"top5": top5} if found.classes > 5 else {}
        terms |= {"nll": nll, "brier": brier}
        return Facts(found.labels, found.classes, found.correct, confidences, terms, clipped)

    @property
    def class_accuracy(self) -> Floats:
        """(C,), NaN where a class has no sample."""
        return self.facts.class_accuracy

    @property
    def clipped(self) -> int:
        """Samples whose label had a probability under 1e-12."""
        return self.facts.clipped

    @property
    def figures(self) -> dict[str, float]:
        """Every measure of the whole table."""
        return self.facts.figures

    def bins(self) -> tuple[Bin, ...]:
        """The reliability diagram, empty for bare classes."""
        confidences = self.facts.confidences
        if confidences is None:
            return ()
        found = calibration.reliability(confidences, self.table.correct)
        return tuple(
            Bin(lo=lo, hi=hi, n=n, confidence=c / n if n else None, accuracy=r / n if n else None)
            for lo, hi, n, c, r in zip(
                found.lo.tolist(), found.hi.tolist(), found.n.tolist(), found.confidence, found.right, strict=True
            )
        )


def _blocks(table: Predictions) -> Iterator[slice]:
    """Slices of rows with at most BLOCK_CELLS outputs each."""
    rows = max(1, BLOCK_CELLS // len(table.class_names))
    for start in range(0, len(table), rows):
        yield slice(start, start + rows)

"""One side of a comparison: every measure of one table, as plain figures and as functions of bootstrap weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgeval.measures import accuracy, calibration
from edgeval.measures.resample import Strata, strata
from edgeval.records.findings import Bin
from edgeval.records.predictions import Predictions

Floats = NDArray[np.float64]
BOTTOMS = {"bottom5": 5, "bottom10": 10, "bottom20": 20}


@dataclass(frozen=True)
class Side:
    """The measures of one table of predictions. Classes without a sample are left out of Gini and bottom-k."""

    table: Predictions

    @cached_property
    def strata(self) -> Strata:
        return strata(self.table.labels)

    @cached_property
    def class_accuracy(self) -> Floats:
        """(C,), NaN where a class has no sample."""
        return accuracy.class_accuracy(self.table.correct, self.table.labels, len(self.table.class_names))

    @cached_property
    def clipped(self) -> int:
        """Samples whose label had a probability under 1e-12."""
        p = self.table.probabilities
        return 0 if p is None else calibration.nll_terms(p, self.table.labels)[1]

    @cached_property
    def columns(self) -> dict[str, Floats]:
        """(N,) terms in sorted order whose mean is a measure: top1, top5, nll, brier, as far as outputs are known."""
        table, terms = self.table, {"top1": self.table.correct.astype(np.float64)}
        if table.probabilities is not None and table.outputs is not None:
            if len(table.class_names) > 5:
                terms["top5"] = accuracy.in_top_k(table.outputs, table.labels, 5).astype(np.float64)
            terms["nll"] = calibration.nll_terms(table.probabilities, table.labels)[0]
            terms["brier"] = calibration.brier_terms(table.probabilities, table.labels)
        return {name: values[self.strata.order] for name, values in terms.items()}

    @cached_property
    def gaps(self) -> dict[str, Floats]:
        """(N, 15) right minus confidence, each sample in its bin's column, sorted; for both kinds of bins."""
        confidences = self.table.confidences
        if confidences is None:
            return {}
        gap = self.table.correct - confidences
        equal_width = calibration.bin_index(confidences)
        rank = np.empty(len(gap), dtype=np.int64)
        rank[np.argsort(confidences, kind="stable")] = np.arange(len(gap))
        cuts = np.arange(calibration.BINS) * len(gap) // calibration.BINS
        equal_mass = np.searchsorted(cuts, rank, side="right") - 1
        return {"ece": self._spread(gap, equal_width), "ece_equal_mass": self._spread(gap, equal_mass)}

    def _spread(self, gap: Floats, index: NDArray[np.int64]) -> Floats:
        spread = np.zeros((len(gap), calibration.BINS))
        spread[np.arange(len(gap)), index] = gap
        return spread[self.strata.order]

    @cached_property
    def matrix(self) -> Floats:
        """(N, columns) all terms and gaps beside each other: one matrix product serves every resample."""
        return np.column_stack([*self.columns.values(), *self.gaps.values()])

    def statistics(self, weights: Floats) -> dict[str, Floats]:
        """(B,) values of every measure under (B, N) sorted weights; weights of ones give the plain figures."""
        n = weights.shape[1]
        sums = weights @ self.matrix
        found = {name: sums[:, i] / n for i, name in enumerate(self.columns)}
        at = len(self.columns)
        for name in self.gaps:
            found[name] = np.abs(sums[:, at : at + calibration.BINS]).sum(axis=1) / n
            at += calibration.BINS
        per_class = self.strata.class_means(weights * self.columns["top1"])
        found["gini"] = accuracy.gini(per_class)
        for name, k in BOTTOMS.items():
            found[name] = accuracy.bottom(per_class, k)
        return found

    @cached_property
    def figures(self) -> dict[str, float]:
        """Every measure of the whole table."""
        ones = np.ones((1, len(self.table)))
        return {name: float(values[0]) for name, values in self.statistics(ones).items()}

    def bins(self) -> tuple[Bin, ...]:
        """The reliability diagram, empty for bare classes."""
        confidences = self.table.confidences
        if confidences is None:
            return ()
        found = calibration.reliability(confidences, self.table.correct)
        return tuple(
            Bin(lo=lo, hi=hi, n=n, confidence=c / n if n else None, accuracy=r / n if n else None)
            for lo, hi, n, c, r in zip(
                found.lo.tolist(), found.hi.tolist(), found.n.tolist(), found.confidence, found.right, strict=True
            )
        )

"""Every measure of one table of predictions, with intervals."""

from __future__ import annotations

import numpy as np

from edgeval.compare.intervals import estimates
from edgeval.compare.side import Side
from edgeval.measures.accuracy import class_counts
from edgeval.measures.paired import wilson
from edgeval.records.findings import ClassScore, Estimate, Score
from edgeval.records.predictions import Predictions


def score(table: Predictions, *, seed: int = 0) -> Score:
    """All measures of a table; intervals are 95%, Wilson for accuracies and the bootstrap elsewhere."""
    side = Side(table)
    drawn = estimates(side, seed)

    def estimate(name: str) -> Estimate:
        if name not in drawn:
            return Estimate(value=None, method=f"needs {missing_for(name, table)}")
        one = drawn[name]
        method = f"{one.method}; approximate: {one.approximate}" if one.approximate else one.method
        return Estimate(value=side.figures[name], ci95=one.interval(), method=method, bias=one.bias)

    names = ("top5", "gini", "bottom5", "bottom10", "bottom20", "ece", "ece_equal_mass", "nll", "brier")
    right = int(table.correct.sum())
    return Score(
        source=table.source,
        n=len(table),
        top1=Estimate(value=right / len(table), ci95=wilson(right, len(table)), method="Wilson"),
        per_class=_per_class(side),
        **{name: estimate(name) for name in names},
        clipped=side.clipped,
        ties=table.ties,
        notes=(*table.notes, *table.source.notes, *empty_classes(table)),
    )


def missing_for(name: str, table: Predictions) -> str:
    """What a measure lacks that cannot be had from a table."""
    few = name == "top5" and len(table.class_names) <= 5
    return "more than 5 classes" if few else "probabilities"


def _per_class(side: Side) -> tuple[ClassScore, ...]:
    """Accuracy of each class with Wilson's interval; null for a class without a sample."""
    names, counts = side.table.class_names, class_counts(side.table.labels, len(side.table.class_names))
    return tuple(
        ClassScore(index=i, name=name, n=int(n), value=finite(value), ci95=wilson(value * n, n) if n else None)
        for i, (name, n, value) in enumerate(zip(names, counts.tolist(), side.class_accuracy.tolist(), strict=True))
    )


def empty_classes(table: Predictions) -> tuple[str, ...]:
    """A note if some classes have no sample."""
    counts = class_counts(table.labels, len(table.class_names))
    empty = [table.class_names[i] for i in np.flatnonzero(counts == 0)]
    if not empty:
        return ()
    shown = ", ".join(empty[:5]) + (", ..." if len(empty) > 5 else "")
    return (f"{len(empty)} of {len(counts)} classes have no sample and are left out of Gini and bottom-k: {shown}",)


def finite(value: float) -> float | None:
    """None for NaN, so that JSON stays JSON."""
    return None if np.isnan(value) else float(value)

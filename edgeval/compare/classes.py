"""Class by class: which accuracies changed, whether the worst is beyond chance, and which classes are answered less."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.score import finite
from edgeval.compare.side import Side
from edgeval.measures import families, paired, shares
from edgeval.measures.accuracy import class_counts
from edgeval.records.findings import AnswerShare, ClassDelta, WorstClass

Ints = NDArray[np.int64]
SIGN_FLIP = "smallest one-sided p of all classes against its exact sign-flip null"


def per_class(a: Side, b: Side) -> tuple[ClassDelta, ...]:
    """Each class on both sides; q adjusts exact McNemar p-values over all classes with a sample."""
    names, (lost, gained, counts) = a.table.class_names, _flips_by_class(a, b)
    present = np.flatnonzero(counts > 0)
    p = paired.mcnemar_each(lost[present], gained[present])
    q = dict(zip(present.tolist(), paired.benjamini_hochberg(p).tolist(), strict=True))
    return tuple(
        ClassDelta(
            index=i,
            name=name,
            n=int(counts[i]),
            reference=finite(a.class_accuracy[i]),
            candidate=finite(b.class_accuracy[i]),
            delta=finite(b.class_accuracy[i] - a.class_accuracy[i]),
            q=q.get(i),
        )
        for i, name in enumerate(names)
    )


def worst_class(a: Side, b: Side) -> WorstClass | None:
    """The class that lost most beyond chance; None where nothing flipped."""
    lost, gained, counts = _flips_by_class(a, b)
    if not (lost + gained).any():
        return None
    present = np.flatnonzero(counts)
    at, p = families.worst_class(lost[present], gained[present])
    index = int(present[at])
    return WorstClass(
        index=index,
        name=a.table.class_names[index],
        n=int(counts[index]),
        lost=int(lost[index]),
        gained=int(gained[index]),
        delta=float((gained[index] - lost[index]) / counts[index]),
        p=p,
        method=SIGN_FLIP,
    )


def answer_shares(a: Side, b: Side) -> tuple[AnswerShare, ...]:
    """How often each class is answered on both sides, right or wrong."""
    found = shares.answer_shares(a.table.classes, b.table.classes, len(a.table.class_names))
    columns = zip(
        found.reference.tolist(), found.candidate.tolist(), found.q.tolist(), found.collapsed.tolist(), strict=True
    )
    return tuple(
        AnswerShare(index=i, name=name, reference=one, candidate=two, delta=two - one, q=q, collapsed=gone)
        for i, (name, (one, two, q, gone)) in enumerate(zip(a.table.class_names, columns, strict=True))
    )


def _flips_by_class(a: Side, b: Side) -> tuple[Ints, Ints, Ints]:
    """(C,) lost, gained and samples of each true class."""
    labels, classes = a.table.labels, len(a.table.class_names)
    before, now = a.table.correct, b.table.correct
    return (
        class_counts(labels[before & ~now], classes),
        class_counts(labels[~before & now], classes),
        class_counts(labels, classes),
    )

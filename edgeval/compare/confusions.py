"""Which pairs of classes are confused more often than before, and which less often."""

from __future__ import annotations

import numpy as np

from edgeval.records.findings import ConfusionChange
from edgeval.records.predictions import Predictions

MOST = 30


def confusion_changes(
    reference: Predictions, candidate: Predictions, *, most: int = MOST
) -> tuple[ConfusionChange, ...]:
    """The `most` largest changes off the diagonal of the confusion matrix, largest first; ties by class index.

    Both tables hold the same samples in the same order. Only pairs that occur are held, never a (C, C) matrix.
    """
    width, names = len(reference.class_names), reference.class_names
    sides = [table.labels * width + table.classes for table in (reference, candidate)]
    wrong = [codes[~table.correct] for codes, table in zip(sides, (reference, candidate), strict=True)]
    pairs = np.union1d(*wrong)
    counts = np.zeros((2, len(pairs)), dtype=np.int64)
    for row, codes in zip(counts, wrong, strict=True):
        found, n = np.unique(codes, return_counts=True)
        row[np.searchsorted(pairs, found)] = n
    change = counts[1] - counts[0]
    largest = [k for k in np.argsort(-abs(change), kind="stable")[:most].tolist() if change[k]]
    return tuple(
        ConfusionChange(
            label=names[pairs[k] // width],
            answer=names[pairs[k] % width],
            reference=int(counts[0, k]),
            candidate=int(counts[1, k]),
        )
        for k in largest
    )

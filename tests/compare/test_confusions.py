"""Pairs of classes that are confused more or less often, against the whole matrix."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import confusion_matrix

from edgeval.compare.confusions import confusion_changes
from edgeval.records.predictions import Predictions, Source

NAMES = tuple("abcdefg")


def table(labels: np.ndarray, classes: np.ndarray) -> Predictions:
    return Predictions(labels, classes, NAMES, "classes", Source(name="x", format="table"))


def test_the_changes_are_those_of_the_confusion_matrices() -> None:
    rng = np.random.default_rng(0)
    labels, before, now = rng.integers(0, 7, (3, 900))
    full = [confusion_matrix(labels, side, labels=range(7)) for side in (before, now)]
    found = confusion_changes(table(labels, before), table(labels, now), most=1000)
    expected = {(NAMES[i], NAMES[j]) for i in range(7) for j in range(7) if i != j and full[0][i, j] != full[1][i, j]}
    assert {(c.label, c.answer) for c in found} == expected
    for c in found:
        at = NAMES.index(c.label), NAMES.index(c.answer)
        assert (c.reference, c.candidate) == (full[0][at], full[1][at])
    sizes = [abs(c.candidate - c.reference) for c in found]
    assert sizes == sorted(sizes, reverse=True)
    assert confusion_changes(table(labels, before), table(labels, now), most=5) == found[:5]


def test_no_change_and_no_error_give_none() -> None:
    labels = np.arange(7)
    assert confusion_changes(table(labels, labels), table(labels, labels)) == ()
    assert confusion_changes(table(labels, labels[::-1].copy()), table(labels, labels[::-1].copy())) == ()

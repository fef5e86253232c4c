"""Evidence with given flips, so that a rule's answer can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edgeval.compare.pair import weigh
from edgeval.records.evidence import Evidence
from edgeval.records.predictions import Predictions, Source

Made = Callable[..., Evidence]


def side(right: np.ndarray, labels: np.ndarray, classes: int, **source: object) -> Predictions:
    """Answers that are right where `right` says so."""
    answers = np.where(right, labels, (labels + 1) % classes)
    names = tuple(f"k{i}" for i in range(classes))
    ids = tuple(f"s{i}" for i in range(len(labels)))
    made = Source(name="m", format="npz").model_copy(update=source)
    return Predictions(labels, answers.astype(np.int64), names, "classes", made, ids=ids)


@pytest.fixture
def flipping() -> Made:
    """Evidence with n samples of `classes` classes in turn, of which so many are lost and gained."""

    def made(n: int, lost: int, gained: int, *, classes: int = 2, both_wrong: int = 0, **source: object) -> Evidence:
        labels = np.arange(n) % classes
        before, now = np.ones(n, bool), np.ones(n, bool)
        now[:lost] = False
        before[lost : lost + gained] = False
        before[lost + gained : lost + gained + both_wrong] = now[lost + gained : lost + gained + both_wrong] = False
        return weigh(side(before, labels, classes, **source), side(now, labels, classes, **source))

    return made

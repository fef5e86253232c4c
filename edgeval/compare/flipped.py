"""The flipped samples: their ids, and a gallery of the most confident ones."""

from __future__ import annotations

import numpy as np

from edgeval.compare.stages import Trace
from edgeval.measures.overlap import FlipCounts
from edgeval.records.findings import Answer, Flip, Flips
from edgeval.records.predictions import Predictions

GALLERY = 200


def flips(reference: Predictions, candidate: Predictions, table: FlipCounts) -> Flips:
    """The flips table with the ids of what flipped."""
    assert reference.ids is not None
    lost = np.flatnonzero(reference.correct & ~candidate.correct)
    gained = np.flatnonzero(~reference.correct & candidate.correct)
    return Flips(
        both_right=table.both_right,
        lost=table.lost,
        gained=table.gained,
        both_wrong=table.both_wrong,
        lost_ids=tuple(reference.ids[i] for i in lost),
        gained_ids=tuple(reference.ids[i] for i in gained),
    )


def gallery(reference: Predictions, candidate: Predictions, steps: Trace) -> tuple[Flip, ...]:
    """Flipped samples, the candidate's most confident answers first, at most 200."""
    assert reference.ids is not None
    flipped = np.flatnonzero(reference.correct != candidate.correct)
    sure = candidate.confidences
    order = flipped if sure is None else flipped[np.argsort(-sure[flipped], kind="stable")]
    return tuple(
        Flip(
            id=reference.ids[i],
            label=reference.class_names[reference.labels[i]],
            kind="lost" if reference.correct[i] else "gained",
            stage=steps.charged(int(i)),
            reference=_answer(reference, int(i)),
            candidate=_answer(candidate, int(i)),
        )
        for i in order[:GALLERY]
    )


def _answer(table: Predictions, i: int) -> Answer:
    """What one side said of sample i."""
    confidence = None if table.confidences is None else float(table.confidences[i])
    return Answer(class_name=table.class_names[table.classes[i]], confidence=confidence)

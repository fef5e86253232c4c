"""What would restore the candidate's confidences: a temperature, and the threshold of the same operating point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeval.measures import recalibrate
from edgeval.measures.calibration import CLIP, ece
from edgeval.records.findings import Recalibration
from edgeval.records.predictions import Predictions

THRESHOLD = 0.5  # of the reference, where nobody says at which confidence its answers are accepted


def recalibration(reference: Predictions, candidate: Predictions, threshold: float = THRESHOLD) -> Recalibration | None:
    """Temperatures of both sides and the candidate's threshold; None without confidences on both sides.

    threshold: the confidence from which on the reference's answers are accepted.
    """
    one, two = reference.confidences, candidate.confidences
    if one is None or two is None:
        return None
    logits = _logits(candidate)
    found = recalibrate.temperature(logits, candidate.labels)
    point = recalibrate.operating_point(one, reference.correct, two, candidate.correct, threshold=threshold)
    return Recalibration(
        temperature=found,
        temperature_reference=recalibrate.temperature(_logits(reference), reference.labels),
        ece=ece(recalibrate.confidences(logits, found), candidate.correct),
        nll=recalibrate.nll(logits, candidate.labels, found),
        threshold_reference=point.threshold_reference,
        threshold=point.threshold,
        accepted=point.accepted,
        accepted_unchanged=point.accepted_unchanged,
        accuracy_reference=point.accuracy_reference,
        accuracy=point.accuracy,
        accuracy_unchanged=point.accuracy_unchanged,
    )


def _logits(table: Predictions) -> NDArray[np.floating]:
    """Logits, or the logarithms of probabilities."""
    assert table.outputs is not None
    return table.outputs if table.kind == "logits" else np.log(np.maximum(table.outputs, CLIP))

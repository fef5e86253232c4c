"""One table of predictions as a line of a study's answers, with the figures that only its probabilities give."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.side import Side
from edgeval.measures import calibration, recalibrate
from edgeval.records.answers import Entry
from edgeval.records.predictions import Predictions

FITTED, PERMUTATION = 0.3, 42  # the share of the test set that the temperature is fitted on (PAPERS 1.3)


def entry(table: Predictions, *, ladder: str, rung: str, seed: int, protocol: str) -> Entry:
    """The line of one model. A table of bare classes gives no figure but its answers; facts of the host stay behind."""
    figures = Side(table).figures
    return Entry(
        ladder=ladder,
        rung=rung,
        seed=seed,
        protocol=protocol,
        source=table.source.model_copy(update={"host": None, "notes": ()}),
        top5=figures.get("top5"),
        nll=figures.get("nll"),
        brier=figures.get("brier"),
        **scaled(table),
    )


def scaled(table: Predictions) -> dict[str, float]:
    """Temperature fitted on 30% of the samples (one fixed permutation), and ECE before and after on the others."""
    if table.outputs is None or len(table) < 10:
        return {}
    if table.kind == "logits":
        logits = table.outputs.astype(np.float64)
    else:
        logits = np.log(np.maximum(table.outputs.astype(np.float64), calibration.CLIP))
    order = np.random.default_rng(PERMUTATION).permutation(len(table))
    cut = round(FITTED * len(table))
    fitted, rest = order[:cut], order[cut:]
    found = recalibrate.temperature(logits[fitted], table.labels[fitted])
    right = table.correct[rest]
    return {
        "temperature": found,
        "ece_before": calibration.ece(recalibrate.confidences(logits[rest]), right),
        "ece_after": calibration.ece(recalibrate.confidences(logits[rest], found), right),
    }


def confidences(table: Predictions) -> NDArray[np.float64]:
    """(N,) probability of each answer; 0 for a table of bare classes, which has none."""
    found = table.confidences
    return np.zeros(len(table)) if found is None else np.clip(found, 0.0, 1.0)

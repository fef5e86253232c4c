"""Bring two tables of predictions into the same order, or say why they cannot be paired."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeval.compare.order import positions
from edgeval.errors import DataError, IntegrityError
from edgeval.records.predictions import Predictions


def align(reference: Predictions, candidate: Predictions) -> tuple[Predictions, Predictions, tuple[str, ...]]:
    """The candidate in the reference's order. Without ids on both sides, rows pair by position."""
    if len(reference.class_names) != len(candidate.class_names):
        seen = f"{len(reference.class_names)} and {len(candidate.class_names)}"
        raise DataError("the two sides know different numbers of classes", seen=seen)
    if _named(reference) and _named(candidate) and reference.class_names != candidate.class_names:
        pair = next((a, b) for a, b in zip(reference.class_names, candidate.class_names, strict=True) if a != b)
        kind = DataError if {reference.source.origin, candidate.source.origin} == {"imported"} else IntegrityError
        raise kind("the two sides name their classes differently, or in another order", seen=f"{pair[0]} and {pair[1]}")
    if reference.ids is None or candidate.ids is None:
        return _by_position(reference, candidate)
    if reference.ids != candidate.ids:
        candidate = candidate.take(positions(reference.ids, candidate.ids))
    if not np.array_equal(reference.labels, candidate.labels):
        wrong = int((reference.labels != candidate.labels).argmax())
        raise DataError("the two sides give different labels to one sample", seen=f"id {reference.ids[wrong]}")
    return reference, _renamed(candidate, reference), ()


def _by_position(reference: Predictions, candidate: Predictions) -> tuple[Predictions, Predictions, tuple[str, ...]]:
    """Pair rows by position; only if the labels are the same ones in the same order."""
    if len(reference) != len(candidate):
        hint = "add ids to both tables to pair a subset"
        raise DataError(
            "without ids, both sides need the same samples", seen=f"{len(reference)} and {len(candidate)}", hint=hint
        )
    if not np.array_equal(reference.labels, candidate.labels):
        raise DataError("without ids, both sides need the same labels in the same order", hint="add ids to both tables")
    ids = reference.ids or candidate.ids or tuple(str(i) for i in range(len(reference)))
    said = ("rows were paired by position: not both tables have ids, and their labels are identical",)
    return replace(reference, ids=ids), replace(_renamed(candidate, reference), ids=ids), said


def _named(table: Predictions) -> bool:
    """Whether class names say more than numbers."""
    return table.class_names != tuple(str(i) for i in range(len(table.class_names)))


def _renamed(table: Predictions, like: Predictions) -> Predictions:
    """With the other side's class names where this side has only numbers."""
    return table if _named(table) else replace(table, class_names=like.class_names)

"""Pair two tables by sample and say how the candidate differs, each difference with its interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edgeval.compare.confusions import confusion_changes
from edgeval.compare.score import BASIC, empty_classes, finite, missing_for
from edgeval.compare.side import Side
from edgeval.compare.stages import Link, Trace, trace
from edgeval.errors import DataError
from edgeval.measures import overlap, paired, resample
from edgeval.measures.accuracy import class_counts
from edgeval.records.findings import (
    METRICS,
    Answer,
    ClassDelta,
    Comparison,
    Counts,
    Delta,
    Flip,
    Flips,
    Mcnemar,
    Overlap,
    Reliability,
)
from edgeval.records.predictions import Predictions, Source

GALLERY = 200


@dataclass(frozen=True)
class Context:
    """What stands around a comparison: the chain in between, the target, and what a reader must know."""

    chain: tuple[Link, ...] = ()
    target: Source | None = None
    notes: tuple[str, ...] = ()
    command: str = ""
    seed: int = 0


def compare(reference: Predictions, candidate: Predictions, context: Context | None = None) -> Comparison:
    """The candidate against the reference on the same samples. Raises DataError if they cannot be paired."""
    context = context or Context()
    reference, candidate, said = align(reference, candidate)
    links = tuple(Link(link.stage, link.label, align(reference, link.table)[1]) for link in context.chain)
    steps = trace(reference, links)
    a, b = Side(reference), Side(candidate)
    table = overlap.flips(reference.correct, candidate.correct)
    notes = (
        *said,
        *_counted(candidate, b),
        *reference.notes,
        *candidate.notes,
        *candidate.source.notes,
        *context.notes,
        *empty_classes(reference),
    )
    return Comparison(
        reference=reference.source,
        candidate=candidate.source,
        target=context.target or candidate.source,
        n=len(reference),
        metrics=_metrics(a, b, context.seed),
        per_class=_per_class(a, b),
        overlap=_overlap(table),
        flips=_flips(reference, candidate, table),
        mcnemar=Mcnemar(p=paired.mcnemar_exact(table.lost, table.gained), method="exact binomial, two-sided"),
        latency_ms=candidate.source.latency,
        stages=steps.stages,
        cancelled=steps.cancelled,
        smallest_drop=paired.smallest_detectable_drop(table.lost, table.gained, table.n),
        ties=Counts(reference=reference.ties, candidate=candidate.ties),
        clipped=Counts(reference=a.clipped, candidate=b.clipped),
        reliability=Reliability(reference=a.bins(), candidate=b.bins()),
        flipped=_gallery(reference, candidate, steps),
        confusions=confusion_changes(reference, candidate),
        class_names=reference.class_names,
        notes=tuple(dict.fromkeys(notes)),
        command=context.command,
    )


def _counted(candidate: Predictions, side: Side) -> tuple[str, ...]:
    """Notes on ties and clipped probabilities of the candidate, where there are any."""
    notes = []
    if candidate.ties:
        notes.append(f"{candidate.ties:,} top answers of the candidate are ties: the lowest class index counts")
    if side.clipped:
        notes.append(f"{side.clipped:,} probabilities of the candidate were clipped at 1e-12 for its NLL")
    return tuple(notes)


def align(reference: Predictions, candidate: Predictions) -> tuple[Predictions, Predictions, tuple[str, ...]]:
    """The candidate in the reference's order. Without ids on both sides, rows pair by position."""
    if len(reference.class_names) != len(candidate.class_names):
        seen = f"{len(reference.class_names)} and {len(candidate.class_names)}"
        raise DataError("the two sides know different numbers of classes", seen=seen)
    if _named(reference) and _named(candidate) and reference.class_names != candidate.class_names:
        pair = next((a, b) for a, b in zip(reference.class_names, candidate.class_names, strict=True) if a != b)
        raise DataError(
            "the two sides name their classes differently, or in another order", seen=f"{pair[0]} and {pair[1]}"
        )
    if reference.ids is None or candidate.ids is None:
        return _by_position(reference, candidate)
    if reference.ids != candidate.ids:
        candidate = candidate.take(_order(reference.ids, candidate.ids))
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


def _order(wanted: tuple[str, ...], given: tuple[str, ...]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Positions in `given` of each wanted id. Raises DataError unless both hold the same ids."""
    at = {name: i for i, name in enumerate(given)}
    missing = [name for name in wanted if name not in at]
    if missing or len(given) != len(wanted):
        seen = f"{len(missing)} of {len(wanted)} ids are missing on the other side"
        seen += f", such as {missing[0]}" if missing else f"; it has {len(given) - len(wanted)} more"
        raise DataError("the two sides hold different samples", seen=seen, hint="compare tables of the same data")
    return np.array([at[name] for name in wanted], dtype=np.int64)


def _named(table: Predictions) -> bool:
    """Whether class names say more than numbers."""
    return table.class_names != tuple(str(i) for i in range(len(table.class_names)))


def _renamed(table: Predictions, like: Predictions) -> Predictions:
    """With the other side's class names where this side has only numbers."""
    return table if _named(table) else replace(table, class_names=like.class_names)


def _metrics(a: Side, b: Side, seed: int) -> dict[str, Delta]:
    """Each metric on both sides with the basic-bootstrap interval of the paired difference."""

    def differences(
        weights: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
        one, two = a.statistics(weights), b.statistics(weights)
        return {name: two[name] - one[name] for name in one if name in two}

    drawn = resample.resample(a.table.labels, differences, seed=seed)
    found = {}
    for name in METRICS:
        one, two = a.figures.get(name), b.figures.get(name)
        if one is None or two is None:
            found[name] = Delta(reference=one, candidate=two, delta=None, method=f"needs {missing_for(name, a.table)}")
            continue
        delta = two - one
        found[name] = Delta(
            reference=one, candidate=two, delta=delta, ci95=resample.basic(delta, drawn[name]), method=f"paired {BASIC}"
        )
    return found


def _per_class(a: Side, b: Side) -> tuple[ClassDelta, ...]:
    """Each class on both sides; q adjusts exact McNemar p-values over all classes with a sample."""
    labels, names = a.table.labels, a.table.class_names
    counts = class_counts(labels, len(names))
    lost = class_counts(labels[a.table.correct & ~b.table.correct], len(names))
    gained = class_counts(labels[~a.table.correct & b.table.correct], len(names))
    present = np.flatnonzero(counts > 0)
    p = np.array([paired.mcnemar_exact(int(lost[i]), int(gained[i])) for i in present])
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


def _overlap(table: overlap.FlipCounts) -> Overlap:
    """The two error sets; Jaccard is a proportion of their union, hence Wilson's interval."""
    return Overlap(
        errors_reference=table.gained + table.both_wrong,
        errors_candidate=table.lost + table.both_wrong,
        jaccard=overlap.jaccard(table),
        jaccard_max=overlap.jaccard_max(table),
        jaccard_independent=overlap.jaccard_independent(table),
        ci95=paired.wilson(table.both_wrong, table.lost + table.gained + table.both_wrong),
    )


def _flips(reference: Predictions, candidate: Predictions, table: overlap.FlipCounts) -> Flips:
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


def _gallery(reference: Predictions, candidate: Predictions, steps: Trace) -> tuple[Flip, ...]:
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

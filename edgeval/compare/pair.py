"""Pair two tables by sample and say how the candidate differs, each difference with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeval.compare.align import align
from edgeval.compare.classes import answer_shares, per_class, worst_class
from edgeval.compare.confusions import confusion_changes
from edgeval.compare.flipped import flips, gallery
from edgeval.compare.intervals import differences, estimates
from edgeval.compare.recalibration import THRESHOLD, recalibration
from edgeval.compare.score import empty_classes, missing_for
from edgeval.compare.side import Side
from edgeval.compare.stages import Link, trace
from edgeval.measures import overlap, paired
from edgeval.measures.resample import Resampled
from edgeval.records.evidence import Evidence
from edgeval.records.findings import (
    METRICS,
    Comparison,
    Counts,
    Delta,
    Mcnemar,
    Overlap,
    Reliability,
)
from edgeval.records.predictions import Predictions, Source

TANGO = "Tango's score interval of the paired difference"


@dataclass(frozen=True)
class Context:
    """What stands around a comparison: the chain in between, the target, and what a reader must know."""

    chain: tuple[Link, ...] = ()
    target: Source | None = None
    notes: tuple[str, ...] = ()
    command: str = ""
    seed: int = 0
    threshold: float = THRESHOLD


def compare(reference: Predictions, candidate: Predictions, context: Context | None = None) -> Comparison:
    """The candidate against the reference on the same samples. Raises DataError if they cannot be paired."""
    return weigh(reference, candidate, context).comparison


def weigh(reference: Predictions, candidate: Predictions, context: Context | None = None) -> Evidence:
    """As `compare`, with the samples and draws that a gate needs."""
    context = context or Context()
    reference, candidate, said = align(reference, candidate)
    links = tuple(Link(link.stage, link.label, align(reference, link.table)[1]) for link in context.chain)
    steps = trace(reference, links)
    a, b = Side(reference), Side(candidate)
    table, changes = overlap.flips(reference.correct, candidate.correct), differences(a, b, context.seed)
    notes = (
        *said,
        *_counted(candidate, b),
        *reference.notes,
        *candidate.notes,
        *candidate.source.notes,
        *context.notes,
        *empty_classes(reference),
    )
    row = Comparison(
        reference=reference.source,
        candidate=candidate.source,
        target=context.target or candidate.source,
        n=len(reference),
        metrics=_metrics(a, b, changes, table),
        per_class=per_class(a, b),
        worst_class=worst_class(a, b),
        answer_shares=answer_shares(a, b),
        recalibration=recalibration(reference, candidate, context.threshold),
        overlap=_overlap(table),
        flips=flips(reference, candidate, table),
        mcnemar=Mcnemar(
            p=paired.mcnemar_exact(table.lost, table.gained),
            method="exact binomial, two-sided",
            mid_p=paired.mcnemar_midp(table.lost, table.gained),
        ),
        latency_ms=candidate.source.latency,
        stages=steps.stages,
        cancelled=steps.cancelled,
        smallest_drop=paired.smallest_detectable_drop(table.lost, table.gained, table.n),
        ties=Counts(reference=reference.ties, candidate=candidate.ties),
        clipped=Counts(reference=a.clipped, candidate=b.clipped),
        reliability=Reliability(reference=a.bins(), candidate=b.bins()),
        flipped=gallery(reference, candidate, steps),
        confusions=confusion_changes(reference, candidate),
        class_names=reference.class_names,
        notes=tuple(dict.fromkeys(notes)),
        command=context.command,
    )
    return Evidence(row, reference, candidate, changes, lambda: estimates(b, context.seed))


def _counted(candidate: Predictions, side: Side) -> tuple[str, ...]:
    """Notes on ties and clipped probabilities of the candidate, where there are any."""
    notes = []
    if candidate.ties:
        notes.append(f"{candidate.ties:,} top answers of the candidate are ties: the lowest class index counts")
    if side.clipped:
        notes.append(f"{side.clipped:,} probabilities of the candidate were clipped at 1e-12 for its NLL")
    return tuple(notes)


def _metrics(a: Side, b: Side, changes: Mapping[str, Resampled], table: overlap.FlipCounts) -> dict[str, Delta]:
    """Each metric on both sides with the interval of its difference: Tango's for top-1, resampled for the rest."""
    found = {}
    for name in METRICS:
        one, two = a.figures.get(name), b.figures.get(name)
        if one is None or two is None:
            found[name] = Delta(reference=one, candidate=two, delta=None, method=f"needs {missing_for(name, a.table)}")
        elif name == "top1":
            ends = paired.tango(table.lost, table.gained, table.n)
            net = (table.gained - table.lost) / table.n
            found[name] = Delta(reference=one, candidate=two, delta=net, ci95=ends, method=TANGO)
        else:
            found[name] = _resampled(one, two, changes[name])
    return found


def _resampled(one: float, two: float, change: Resampled) -> Delta:
    """A metric whose interval comes from resampling; `approximate` where it covers too little."""
    method = f"{change.method}; approximate: {change.approximate}" if change.approximate else change.method
    return Delta(reference=one, candidate=two, delta=two - one, ci95=change.interval(), method=method, bias=change.bias)


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

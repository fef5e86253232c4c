"""Sequential mode: stop the device as soon as the verdict on all images is certain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.pair import Context, weigh
from edgeval.gate.forecast import ALPHA, Forecast, Whole
from edgeval.gate.judge import EXIT, Look, judge
from edgeval.gate.trust import distrust, imported
from edgeval.records.evidence import Evidence
from edgeval.records.gate import GateSettings
from edgeval.records.reporter import Reporter
from edgeval.records.verdict import RuleResult, Sequential, Status, Verdict
from edgeval.store import Store
from edgeval.workflow.looks import remember, sight
from edgeval.workflow.partial import Bid, Part, part_of, run_part, shuffled

BATCHES = 100
SMALLEST = 50  # images between two looks


class Watcher:
    """Sees answers as they are saved, in any order of chunks, and tells when the verdict is certain."""

    def __init__(self, forecast: Forecast) -> None:
        self.forecast = forecast
        self.waiting: dict[int, NDArray[np.bool_]] = {}

    def __call__(self, start: int, stop: int, outputs: NDArray[np.generic], /) -> bool:
        """Raw outputs of [start, stop): only what follows on from the first sample without a gap is counted."""
        labels = self.forecast.whole.labels[start:stop]
        self.waiting[start] = outputs.argmax(axis=1) == labels
        while self.forecast.seen in self.waiting and self.forecast.status() is None:
            self.forecast.add(self.waiting.pop(self.forecast.seen))
        return self.forecast.status() is not None


def judge_sequentially(bid: Bid, settings: GateSettings, store: Store, reporter: Reporter) -> Evidence:
    """The comparison over the images that were needed, with the verdict that all of them would give."""
    whole, spends = shuffled(bid.samples), 1 / settings.looks
    full = part_of(bid.full, whole)
    forecast = Forecast(settings.rules, Whole(whole.labels, full.correct, whole.class_names), spends)
    part = Part(len(whole), Watcher(forecast), max(SMALLEST, len(whole) // BATCHES))
    small = run_part(bid.model, whole, part, bid.bench, store, reporter)
    used = np.arange(forecast.seen)
    first = whole.take(used)
    candidate = small.take(used).with_source(data_sha256=first.sha256)
    target = candidate.source.model_copy(update={"name": bid.bench.name})
    note = f"the run ended after {forecast.seen:,} of {len(whole):,} images: the figures are those of these images"
    notes = (*bid.notes, note) if forecast.seen < len(whole) else bid.notes
    evidence = weigh(part_of(full, first), candidate, Context(target=target, notes=notes, command=bid.command))
    return evidence.with_findings(verdict=_verdict(evidence, settings, forecast, store))


def _verdict(evidence: Evidence, settings: GateSettings, forecast: Forecast, store: Store) -> Verdict:
    """The forecast as a verdict; the level that a look spends is the same as without early stopping."""
    row, used, total = evidence.comparison, forecast.seen, len(forecast.whole.labels)
    sighting = sight(evidence, store, settings.looks)
    against = distrust(row, require_provenance=settings.require_provenance)
    if sighting.look.spends < 1 / settings.looks - 1e-9:
        against.append("the planned looks are spent: judge this one without --sequential")
    shown = judge(evidence, settings.rules, Look(sighting.look.number, 1 / settings.looks), against)
    rules = tuple(
        _rule(result, status, confidence)
        for result, status, confidence in zip(shown.rules, forecast.statuses(), forecast.confidences, strict=True)
    )
    status: Status = "NO_VERDICT" if against else forecast.status() or "INCONCLUSIVE"
    said = f"certain after {used:,} of {total:,} images: whatever the rest, all of them give {status}"
    reasons = [*against] if against else [said, *_decisive(rules, status)]
    reasons += [text for text in (sighting.look.note, imported(row)) if text]
    remember(sighting, status, store)
    return Verdict(
        status=status,
        exit_code=EXIT[status],
        look=sighting.look.number,
        reasons=tuple(reasons),
        rules=rules,
        sequential=Sequential(used=used, total=total, confidence=1 - ALPHA, certain=used < total),
    )


def _rule(result: RuleResult, status: Status | None, confidence: float) -> RuleResult:
    """A rule with its forecast status; its figures are those of the images that ran."""
    why = "still open when the run ended" if status is None else f"all images together give {status}"
    new = {"status": status or "INCONCLUSIVE", "why": why, "confidence": confidence, "more_images": None}
    return result.model_copy(update=new)


def _decisive(rules: Sequence[RuleResult], status: Status) -> list[str]:
    """The rules that settled it."""
    return [f"{rule.text}: {rule.why}" for rule in rules if rule.status == status]

"""The figure that a rule is about, with the one-sided bounds that decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import InputError
from edgeval.measures.overlap import flips, jaccard
from edgeval.measures.paired import clopper_pearson, tango
from edgeval.records.evidence import Evidence
from edgeval.records.findings import Comparison
from edgeval.records.gate import NUMBERS, Rule
from edgeval.records.predictions import Source
from edgeval.records.regression import RegressionComparison, RegressionEvidence
from edgeval.records.wanted import nearest

EXACT = "exact (Clopper-Pearson) interval"
UNION = "exact (Clopper-Pearson) interval on the union of both error sets"
MEASURED = ("latency_p50_ms", "latency_p95_ms", "artifact_kb", "flash_kb", "peak_memory_mb", "arena_kb", "instructions")
DRAWN = ("top5", "bottom5", "bottom10", "bottom20", "ece", "ece_equal_mass", "gini", "nll", "brier")


@dataclass(frozen=True)
class Figure:
    """A figure under a rule, higher is worse after `sign` is applied.

    value, lo, hi: in the metric's own unit; lo and hi are one-sided bounds, each at the rule's confidence (equal to the
    value for what is counted or measured without sampling). reference: the reference's figure, for limits in %.
    n: samples behind it, a `share` of all images (those of one class, say). missing: why there is none; approximate:
    why its interval may not decide.
    """

    value: float | None
    lo: float | None = None
    hi: float | None = None
    reference: float | None = None
    n: int = 0
    method: str = ""
    missing: str = ""
    approximate: str = ""
    discordance: float | None = None
    share: float = 1.0


def figure(rule: Rule, evidence: Evidence | RegressionEvidence, confidence: float) -> Figure:
    """The figure of every metric but class_accuracy (which is one a class, see `class_figure`).

    Raises InputError for a rule that is about models of the other kind.
    """
    row, metric = evidence.comparison, rule.metric
    check_kind(rule, regression=isinstance(evidence, RegressionEvidence))
    if isinstance(evidence, RegressionEvidence):
        return _regression(rule, evidence, confidence)
    if metric in ("top1", "lost_rate", "jaccard"):
        return {"top1": _top1, "lost_rate": _lost_rate, "jaccard": _jaccard}[metric](rule, evidence, confidence)
    if metric in DRAWN:
        return _drawn(rule, evidence, confidence)
    return _measured(rule, row)


def check_kind(rule: Rule, *, regression: bool) -> None:
    """Raise InputError for a rule on classes where models answer with numbers, and the reverse."""
    if rule.metric not in MEASURED and (rule.metric in NUMBERS) != regression:
        kind = "classification" if regression else "regression"
        hint = f"rules for this comparison: {', '.join(NUMBERS) if regression else 'top1, lost_rate, ece ...'}"
        raise InputError(f"{rule.metric} is a rule for {kind}", seen=rule.text, hint=hint)


def class_figure(evidence: Evidence, index: int, confidence: float, *, change: bool) -> Figure:
    """Accuracy of one class: its change (Tango), or the candidate's own (exact)."""
    mine = evidence.labels == index
    n = int(mine.sum())
    if not n:
        return Figure(None, missing="the class has no sample")
    before, now = evidence.right_reference[mine], evidence.right_candidate[mine]
    found = _share_change(before, now, confidence) if change else _share(now, confidence)
    return replace(found, share=n / len(mine))


def two_sided(confidence: float) -> float:
    """The two-sided level whose ends are one-sided bounds at `confidence`."""
    return 2 * confidence - 1


def _top1(rule: Rule, evidence: Evidence, confidence: float) -> Figure:
    if rule.limit == "min":
        return _share(evidence.right_candidate, confidence)
    return _share_change(evidence.right_reference, evidence.right_candidate, confidence)


def _regression(rule: Rule, evidence: RegressionEvidence, confidence: float) -> Figure:
    """Of models that answer with numbers, on one output or on all."""
    row = evidence.comparison
    if rule.metric in MEASURED:
        return _measured(rule, row)
    place = output_place(rule.output, [output.name for output in row.per_output]) if rule.output else None
    if rule.metric == "mse_ratio":
        return _ratio(evidence, place, confidence)
    columns = slice(None) if place is None else slice(place, place + 1)
    sizes = [np.abs(errors[:, columns]) for errors in (evidence.errors_reference, evidence.errors_candidate)]
    if rule.metric == "max_abs_error":
        return _largest(sizes[1], confidence)
    assert rule.tolerance is not None
    before, now = (np.asarray((size <= rule.tolerance).all(axis=1)) for size in sizes)
    return _share(now, confidence) if rule.limit == "min" else _share_change(before, now, confidence)


def output_place(name: str, names: Sequence[str]) -> int:
    """Position of an output. Raises InputError with the nearest name."""
    if name not in names:
        hint = f"{nearest(name, names)}choose from {', '.join(names)}"
        raise InputError("a rule names an output that the models do not have", seen=name, hint=hint)
    return list(names).index(name)


def _ratio(evidence: RegressionEvidence, place: int | None, confidence: float) -> Figure:
    """The ratio of mean squared errors."""
    row = evidence.comparison
    stated, key = row.mse_ratio, "mse_ratio"
    if place is not None:
        stated, key = row.per_output[place].mse_ratio, f"{row.per_output[place].name}/mse_ratio"
    found = evidence.differences.get(key)
    if found is None:
        return Figure(None, missing=stated.method or "it could not be computed")
    lo, hi = found.interval(two_sided(confidence))
    return Figure(found.estimate, lo, hi, n=row.n, method=found.method, approximate=found.approximate)


def _largest(sizes: NDArray[np.float64], confidence: float) -> Figure:
    """The largest error is that of these samples: (1 - share)^n is the chance that n of them miss a share beyond it."""
    n, value = len(sizes), float(sizes.max())
    share = 1 - (1 - confidence) ** (1 / n)
    method = f"as measured on {n:,} samples; at {confidence:.3g} confidence at most {share:.2g} of all err by more"
    return Figure(value, value, value, n=n, method=method)


def _share_change(
    before: NDArray[np.bool_],
    now: NDArray[np.bool_],
    confidence: float,
) -> Figure:
    """A paired difference of two shares, by Tango's score interval."""
    table = flips(before, now)
    lo, hi = tango(table.lost, table.gained, table.n, two_sided(confidence))
    return Figure(
        (table.gained - table.lost) / table.n,
        lo,
        hi,
        reference=float(before.mean()),
        n=table.n,
        method="Tango's score interval of the paired difference",
        discordance=(table.lost + table.gained) / table.n,
    )


def _share(right: NDArray[np.bool_], confidence: float) -> Figure:
    """One share, by the exact interval: Wilson's lets a model at a limit of 1% pass in up to 6.7% of runs."""
    ends = clopper_pearson(int(right.sum()), len(right), two_sided(confidence))
    assert ends is not None
    return Figure(float(right.mean()), *ends, n=len(right), method=EXACT)


def _lost_rate(rule: Rule, evidence: Evidence, confidence: float) -> Figure:
    """Right in the reference and wrong in the candidate, as a share of all samples."""
    return _share(evidence.right_reference & ~evidence.right_candidate, confidence)


def _jaccard(rule: Rule, evidence: Evidence, confidence: float) -> Figure:
    """J of the error sets; its drop is from 1, which two equal error sets have."""
    table = flips(evidence.right_reference, evidence.right_candidate)
    value, union = jaccard(table), table.lost + table.gained + table.both_wrong
    ends = clopper_pearson(table.both_wrong, union, two_sided(confidence))
    if value is None or ends is None:
        return Figure(None, missing="neither side errs, so the error sets are empty")
    base = 1.0 if rule.limit == "max_drop" else 0.0
    share = union / table.n
    return Figure(value - base, ends[0] - base, ends[1] - base, n=union, method=UNION, share=share)


def _drawn(rule: Rule, evidence: Evidence, confidence: float) -> Figure:
    """A measure whose interval comes from resampling: the paired difference, or the candidate alone."""
    relative = rule.limit in ("max_drop", "max_increase")
    found = (evidence.differences if relative else evidence.own).get(rule.metric)
    if found is None:
        return Figure(None, missing=evidence.comparison.metrics[rule.metric].method or "it could not be computed")
    lo, hi = found.interval(two_sided(confidence))
    delta = evidence.comparison.metrics[rule.metric]
    return Figure(
        found.estimate,
        lo,
        hi,
        reference=delta.reference,
        n=evidence.comparison.n,
        method=found.method,
        approximate=found.approximate,
    )


def _measured(rule: Rule, row: Comparison | RegressionComparison) -> Figure:
    """Latency, size, memory: as measured, without an interval."""
    slowed = _slowed(rule, row)
    if slowed:
        return Figure(None, missing=slowed)
    now = _reading(rule.metric, row.candidate)
    if now is None:
        return Figure(None, missing=_why_missing(rule.metric, row))
    if rule.limit == "max":
        return Figure(now, now, now, method="as measured")
    before = _reading(rule.metric, row.reference)
    if before is None:
        return Figure(None, missing=f"the reference has no {rule.metric}; set `max` instead of `max_increase`")
    return Figure(now - before, now - before, now - before, reference=before, method="as measured")


def _slowed(rule: Rule, row: Comparison | RegressionComparison) -> str:
    """Why a latency cannot be judged: the card says that it is worth nothing on a board that was slowed down."""
    if not rule.metric.startswith("latency"):
        return ""
    sides = [("candidate", row.candidate), *([] if rule.limit == "max" else [("reference", row.reference)])]
    for role, side in sides:
        failed = ((side.host or {}).get("monitor") or {}).get("failed")
        if failed:
            return f"the {role}'s latency was measured under conditions that its card's fail_on rules out: {failed[0]}"
    return ""


def _reading(metric: str, side: Source) -> float | None:
    """A measured figure of one side, in the metric's own unit."""
    latency, size = side.latency, side.size_bytes
    readings: dict[str, float | None] = {
        "latency_p50_ms": latency.p50 if latency else None,
        "latency_p95_ms": latency.p95 if latency else None,
        "artifact_kb": size / 1000 if size is not None else None,
        "flash_kb": size / 1000 if size is not None else None,
        "arena_kb": side.arena.smallest / 1000 if side.arena else None,
        "peak_memory_mb": side.peak_memory_mb,
        "instructions": side.instructions,
    }
    return readings.get(metric)


def _why_missing(metric: str, row: Comparison | RegressionComparison) -> str:
    """Why a measured figure is not there."""
    if row.candidate.origin == "imported":
        return f"an imported table carries no {metric}"
    if metric == "instructions":
        return f"instructions are counted on emulated boards, not on {row.target.name}"
    if row.candidate.origin == "emulated" and metric.startswith("latency"):
        return "emulated runs carry no timings"
    if metric == "arena_kb":
        return "only a microcontroller's run measures the tensor arena (edgeval gate --target mcu)"
    return f"{metric} was not measured on {row.target.name}"

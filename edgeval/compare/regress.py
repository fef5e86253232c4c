"""Pair two regression tables by sample and say how the candidate's errors differ, each difference with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.moved import curve, error_bins, most_moved, moved, oddities
from edgeval.compare.order import positions
from edgeval.compare.value_stages import ValueLink, value_stages
from edgeval.errors import DataError
from edgeval.measures import regression as measure
from edgeval.measures.overlap import flips
from edgeval.measures.paired import tango
from edgeval.measures.regression import Term
from edgeval.measures.resample import Resampled
from edgeval.records.findings import Delta, Estimate, Flips
from edgeval.records.predictions import Source
from edgeval.records.regression import OutputDelta, RegressionComparison, RegressionEvidence
from edgeval.records.values import Values, step_of

Floats = NDArray[np.float64]
MOST_CELLS = 500_000  # samples x outputs that are still resampled
CONSTANT = "the targets of this output are constant: R2 is not defined"
PERFECT = "the reference makes no error: there is no ratio"


@dataclass(frozen=True)
class RegressionContext:
    """What stands around a comparison; tolerance: one number for all outputs, or one for each, in their units.

    links: the steps between both sides, the candidate last.
    """

    tolerance: tuple[float, ...] | None = None
    target: Source | None = None
    notes: tuple[str, ...] = ()
    command: str = ""
    seed: int = 0
    links: tuple[ValueLink, ...] = ()


def compare_values(
    reference: Values, candidate: Values, context: RegressionContext | None = None
) -> RegressionEvidence:
    """The candidate against the reference on the same samples. Raises DataError if they cannot be paired."""
    context = context or RegressionContext()
    reference, candidate, said = align_values(reference, candidate)
    tolerance = tolerances(context.tolerance, len(reference.output_names))
    found = _differences(reference, candidate, context.seed)
    before, now = (None if tolerance is None else _within(side, tolerance) for side in (reference, candidate))
    flipped = None if before is None or now is None else _flips(reference, before, now)
    outputs = tuple(_output(reference, candidate, k, found) for k in range(len(reference.output_names)))
    row = RegressionComparison(
        reference=reference.source,
        candidate=candidate.source,
        target=context.target or candidate.source,
        n=len(reference),
        metrics=_metrics(reference, candidate, flipped, found),
        mse_ratio=_estimate(found.get("mse_ratio"), PERFECT, len(reference)),
        per_output=outputs,
        stages=value_stages(reference, context.links, tolerance),
        tolerance=tolerance,
        flips=flipped,
        latency_ms=candidate.source.latency,
        most_moved=most_moved(reference, candidate),
        notes=_notes((*said, *_doubts(found), *oddities(candidate)), reference, candidate, context),
        command=context.command,
    )
    kept = found if len(reference) > 1 else {}
    assert reference.ids is not None
    return RegressionEvidence(row, reference.errors, candidate.errors, reference.ids, before, now, kept)


def align_values(reference: Values, candidate: Values) -> tuple[Values, Values, tuple[str, ...]]:
    """The candidate in the reference's order. Without ids on both sides, rows pair by position. Raises DataError."""
    names = reference.output_names, candidate.output_names
    if len(names[0]) != len(names[1]):
        raise DataError("the two sides give different numbers of outputs", seen=f"{len(names[0])} and {len(names[1])}")
    if _named(reference) and _named(candidate) and names[0] != names[1]:
        seen = next(f"{a} and {b}" for a, b in zip(*names, strict=True) if a != b)
        raise DataError("the two sides name their outputs differently, or in another order", seen=seen)
    shown = names[0] if _named(reference) else names[1]
    said: tuple[str, ...] = ()
    if reference.ids is None or candidate.ids is None:
        if len(reference) != len(candidate):
            seen, hint = f"{len(reference)} and {len(candidate)}", "add ids to both tables"
            raise DataError("without ids, both sides need the same samples", seen=seen, hint=hint)
        ids = reference.ids or candidate.ids or tuple(map(str, range(len(reference))))
        said = ("rows were paired by position: not both tables have ids, and their targets are the same",)
    else:
        ids = reference.ids
        candidate = candidate.take(positions(ids, candidate.ids)) if ids != candidate.ids else candidate
    # One side may have kept its targets as float32.
    close = np.isclose(reference.targets, candidate.targets, rtol=1e-6, atol=0)
    differ = np.asarray((~close).any(axis=1))
    if differ.any():
        first = int(differ.argmax())
        seen = f"{int(differ.sum())} of {len(differ)} samples, the first has the id {ids[first]}"
        raise DataError("the two sides give different targets to the same sample", seen=seen)
    aligned = replace(candidate, ids=ids, output_names=shown, targets=reference.targets)
    return replace(reference, ids=ids, output_names=shown), aligned, said


def tolerances(given: tuple[float, ...] | None, outputs: int) -> tuple[float, ...] | None:
    """One tolerance for each output. Raises DataError."""
    if given is None:
        return None
    if len(given) not in (1, outputs) or not all(np.isfinite(t) and t >= 0 for t in given):
        hint = "one number of at least 0 for all outputs, or one for each, with commas between them"
        raise DataError(f"the tolerance does not fit {outputs} outputs", seen=",".join(map(str, given)), hint=hint)
    return given if len(given) == outputs else given * outputs


def estimate_of(found: Resampled, n: int, *, low: float = -np.inf, high: float = np.inf) -> Estimate:
    """A figure with its 95% interval inside [low, high]; none for a single sample."""
    if n < 2:
        return Estimate(value=found.estimate, method="one sample has no interval")
    ends = np.clip(found.interval(), low, high).tolist()
    return Estimate(value=found.estimate, ci95=(ends[0], ends[1]), method=_method(found))


def _method(found: Resampled) -> str:
    return f"{found.method}; approximate: {found.approximate}" if found.approximate else found.method


def _estimate(found: Resampled | None, reason: str, n: int) -> Estimate:
    return Estimate(value=None, method=reason) if found is None else estimate_of(found, n, low=0.0)


def _differences(reference: Values, candidate: Values, seed: int) -> dict[str, Resampled]:
    """Every paired difference by its name: `mse` ... over all outputs, `NAME/mse` ... by output."""
    before, now = reference.errors, candidate.errors
    terms: dict[str, Term] = {}
    for k, name in enumerate(reference.output_names):
        a, b = before[:, k], now[:, k]
        terms |= {f"{name}/{key}": term for key, term in _terms(a**2, b**2, np.abs(a), np.abs(b)).items()}
        terms[f"{name}/bias"] = Term(b - a)
        spread = measure.spread_of(reference.targets[:, k])
        if spread is not None:
            terms[f"{name}/r2"] = Term(a**2 - b**2, spread)
    squares, sizes = [(e**2).mean(axis=1) for e in (before, now)], [np.abs(e).mean(axis=1) for e in (before, now)]
    terms |= _terms(*squares, *sizes)
    most = min(measure.MOST_RESAMPLED, MOST_CELLS // len(reference.output_names))
    return measure.studentised(terms, seed=seed, most_resampled=most)


def _terms(a_squares: Floats, b_squares: Floats, a_sizes: Floats, b_sizes: Floats) -> dict[str, Term]:
    """Differences of MSE and MAE and the ratio of the MSEs; all (N,)."""
    terms = {"mse": Term(b_squares - a_squares), "mae": Term(b_sizes - a_sizes)}
    if a_squares.any():
        terms["mse_ratio"] = Term(b_squares, a_squares, log=bool(b_squares.any()))
    return terms


def _output(reference: Values, candidate: Values, k: int, found: Mapping[str, Resampled]) -> OutputDelta:
    """One output on both sides."""
    name, n = reference.output_names[k], len(reference)
    target, before, now = reference.targets[:, k], reference.values[:, k], candidate.values[:, k]
    one, two = measure.figures(target, before), measure.figures(target, now)
    spread = measure.spread_of(target)

    def delta(key: str, reason: str = "") -> Delta:
        return _delta(getattr(one, key), getattr(two, key), found.get(f"{name}/{key}"), n=n, reason=reason)

    return OutputDelta(
        name=name,
        mse=delta("mse"),
        mae=delta("mae"),
        bias=delta("bias"),
        r2=delta("r2", CONSTANT),
        max_abs=delta("max_abs", "a largest value has no interval"),
        mse_ratio=_estimate(found.get(f"{name}/mse_ratio"), PERFECT, n),
        moved=moved(before, now, None if spread is None else float(np.sqrt(spread.mean()))),
        step=step_of(candidate.source),
        bins=error_bins(target, before - target, now - target),
        curve=curve(before - target, now - target),
    )


def _delta(before: float | None, now: float | None, found: Resampled | None, *, n: int, reason: str) -> Delta:
    """Both sides and their difference with its interval, where there is one."""
    if before is None or now is None:
        return Delta(reference=before, candidate=now, delta=None, method=reason)
    ends = None if found is None else estimate_of(found, n)
    return Delta(
        reference=before,
        candidate=now,
        delta=now - before,
        ci95=ends and ends.ci95,
        method=ends.method if ends else reason,
    )


def _metrics(
    reference: Values, candidate: Values, flipped: Flips | None, found: Mapping[str, Resampled]
) -> dict[str, Delta]:
    """The measures over all outputs; Tango's interval for the share within the tolerance."""
    before, now, n = reference.errors, candidate.errors, len(reference)
    figures = {
        "mse": [float((e**2).mean()) for e in (before, now)],
        "mae": [float(np.abs(e).mean()) for e in (before, now)],
    }
    metrics = {name: _delta(one, two, found[name], n=n, reason="") for name, (one, two) in figures.items()}
    if flipped is not None:
        one, two = (flipped.both_right + count for count in (flipped.lost, flipped.gained))
        ends = tango(flipped.lost, flipped.gained, n)
        share = Delta(
            reference=one / n, candidate=two / n, delta=(two - one) / n, ci95=ends, method="Tango's score interval"
        )
        metrics["within_tolerance"] = share
    return metrics


def _within(side: Values, tolerance: tuple[float, ...]) -> NDArray[np.bool_]:
    return measure.within(side.targets, side.values, np.array(tolerance))


def _flips(reference: Values, before: NDArray[np.bool_], now: NDArray[np.bool_]) -> Flips:
    """Within the tolerance before and not now, and the reverse."""
    assert reference.ids is not None
    table = flips(before, now)
    return Flips(
        both_right=table.both_right,
        lost=table.lost,
        gained=table.gained,
        both_wrong=table.both_wrong,
        lost_ids=tuple(reference.ids[i] for i in np.flatnonzero(before & ~now)),
        gained_ids=tuple(reference.ids[i] for i in np.flatnonzero(~before & now)),
    )


def _doubts(found: Mapping[str, Resampled]) -> tuple[str, ...]:
    """Why the interval of the MSE's change may not be trusted, if so."""
    why = found["mse"].approximate
    return (f"the interval of the MSE's change is approximate (~): {why}",) if why else ()


def _named(table: Values) -> bool:
    """Whether output names say more than numbers."""
    count = len(table.output_names)
    return table.output_names != (("output",) if count == 1 else tuple(f"output {k}" for k in range(count)))


def _notes(first: tuple[str, ...], reference: Values, candidate: Values, context: RegressionContext) -> tuple[str, ...]:
    """What a reader must know, each once."""
    notes = [*first, *reference.notes, *candidate.notes, *candidate.source.notes, *context.notes]
    if len(reference.output_names) > 1:
        notes.append("MSE and MAE over all outputs weigh each output by its unit: read them by output as well")
    return tuple(dict.fromkeys(notes))

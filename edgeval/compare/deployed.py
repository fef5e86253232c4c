"""Which rung of a ladder to ship: what each gives and costs as deployed, the front, and the damage of deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.laws import law
from edgeval.compare.pair import TANGO
from edgeval.compare.side import Side
from edgeval.measures import alphas, overlap, paired, pareto
from edgeval.records.deployed import AlphaChange, Damage, Deployed, SeedDamage, ShipRow
from edgeval.records.predictions import Predictions, Source

OBJECTIVES = {"top1": True, "bottom5": True, "latency_p50_ms": False, "peak_memory_mb": False, "artifact_kb": False}
ARENA = {"arena_kb": False}
KEPT = ("top1", "bottom5", "ece")


@dataclass(frozen=True)
class Answered:
    """What one network answered, without its outputs: its rung, size and seed, (N,) whether right, and its measures."""

    rung: str
    params: int
    seed: int
    path: Path
    source: Source
    correct: NDArray[np.bool_]
    figures: Mapping[str, float]


def answered(table: Predictions, rung: str, seed: int, path: Path) -> Answered:
    """What is kept of a table."""
    figures = Side(table).figures
    kept = {name: value for name, value in figures.items() if name in KEPT}
    return Answered(rung, table.source.params or 0, seed, path, table.source, table.correct, kept)


def errors_of(answers: Sequence[Answered]) -> tuple[dict[int, list[float]], dict[int, str]]:
    """Errors of each size, one a seed, and the rungs' names by size."""
    errors: dict[int, list[float]] = {}
    for one in answers:
        errors.setdefault(one.params, []).append(1 - float(one.correct.mean()))
    return errors, {one.params: one.rung for one in answers}


def deployed(
    name: str, trained: Sequence[Answered], ran: Sequence[Answered], reference: Sequence[Answered]
) -> Deployed:
    """The law and the table of one format on one target. reference: the largest rung in torch, one a seed."""
    errors, names = errors_of(ran)
    found = law(name, errors, names=names)
    own = {(one.rung, one.seed): one for one in trained}
    full = {one.seed: one for one in reference}
    groups = [[one for one in ran if one.params == params] for params in sorted(errors)]
    rows = [_row(group, own, full) for group in groups]
    wanted = OBJECTIVES | (ARENA if any(row.arena_kb is not None for row in rows) else {})
    values = np.array([[_coarse(key, getattr(row, key)) for key in wanted] for row in rows])
    there, best = pareto.known(values), pareto.front(values, np.array(list(wanted.values())))
    largest = groups[-1][0].source
    return Deployed(
        **found.model_copy(update={"notes": (*found.notes, *_notes(ran, full))}).model_dump(),
        target=largest.target or largest.name,
        format=largest.format,
        n=len(ran[0].correct),
        source=largest,
        reference=reference[0].rung,
        reference_top1=_mean([one.figures["top1"] for one in reference]) or 0.0,
        reference_bottom5=_mean([one.figures["bottom5"] for one in reference]) or 0.0,
        reference_ece=_mean([one.figures.get("ece") for one in reference]),
        rows=tuple(row.model_copy(update={"front": bool(on)}) for row, on in zip(rows, best, strict=True)),
        objectives=tuple(key for key, known in zip(wanted, there, strict=True) if known),
        missing=tuple(key for key, known in zip(wanted, there, strict=True) if not known),
        alpha_change=_alpha_change(groups, own),
    )


def _row(group: Sequence[Answered], own: Mapping[tuple[str, int], Answered], full: Mapping[int, Answered]) -> ShipRow:
    """One rung: the mean over its seeds of everything."""
    tables = [overlap.flips(full[one.seed].correct, one.correct) for one in group if one.seed in full]
    arenas = [one.source.arena.smallest / 1000 if one.source.arena else None for one in group]
    sizes = [None if one.source.size_bytes is None else one.source.size_bytes / 1000 for one in group]
    return ShipRow(
        name=group[0].rung,
        params=group[0].params,
        seeds=tuple(one.seed for one in group),
        top1=_mean([one.figures["top1"] for one in group]) or 0.0,
        bottom5=_mean([one.figures["bottom5"] for one in group]) or 0.0,
        ece=_mean([one.figures.get("ece") for one in group]),
        latency_p50_ms=_mean([_latency(one.source) for one in group]),
        peak_memory_mb=_mean([one.source.peak_memory_mb for one in group]),
        arena_kb=_mean(arenas),
        artifact_kb=_mean(sizes),
        lost=_mean([table.lost for table in tables]),
        gained=_mean([table.gained for table in tables]),
        front=False,
        damage=_damage([(own[one.rung, one.seed], one) for one in group if (one.rung, one.seed) in own]),
    )


def _damage(pairs: Sequence[tuple[Answered, Answered]]) -> Damage | None:
    """Float against deployed, each network with Tango's interval.

    The interval is of these networks on other images. That of the mean has the means of the seeds' ends: the mean of
    several figures varies no more than they do on average, however alike the seeds err, so it is never too narrow for
    that; what training again would change is not in it.
    """
    if not pairs:
        return None
    seeds = []
    for before, after in pairs:
        table = overlap.flips(before.correct, after.correct)
        delta, ends = (table.gained - table.lost) / table.n, paired.tango(table.lost, table.gained, table.n)
        seeds.append(SeedDamage(seed=after.seed, lost=table.lost, gained=table.gained, delta=delta, ci95=ends))
    low, high = np.mean([one.ci95 for one in seeds], axis=0).tolist()
    return Damage(
        lost=float(np.mean([one.lost for one in seeds])),
        gained=float(np.mean([one.gained for one in seeds])),
        delta=float(np.mean([one.delta for one in seeds])),
        ci95=(low, high),
        method=TANGO if len(seeds) == 1 else f"{TANGO}, its ends averaged over {len(seeds)} seeds",
        by_seed=tuple(seeds),
    )


def _alpha_change(groups: Sequence[Sequence[Answered]], own: Mapping[tuple[str, int], Answered]) -> AlphaChange | None:
    """alpha as deployed less alpha as trained, over the networks that have both; None where a size has none."""
    pairs = [[(own[a.rung, a.seed], a) for a in group if (a.rung, a.seed) in own] for group in groups]
    if not all(pairs):
        return None
    sizes = np.array([group[0].params for group in groups], float)
    before, after = ([~np.stack([pair[side].correct for pair in group]) for group in pairs] for side in (0, 1))
    found = alphas.alpha_change(sizes, before, after)
    what = "the test images, and the seeds within each size," if found.over_seeds else "the test images"
    method = f"percentile over {found.resamples:,} draws of {what} paired"
    return AlphaChange(value=found.value, sd=found.sd, ci95=found.ci95, method=method)


def _notes(ran: Sequence[Answered], full: Mapping[int, Answered]) -> list[str]:
    """Seeds without a reference, and latencies that count for nothing."""
    alone = sorted({one.seed for one in ran} - set(full))
    seeds = ", ".join(str(seed) for seed in alone)
    notes = (
        [f"the reference has no seed {seeds}: those networks are left out of flips and of the margin"] if alone else []
    )
    slowed = sorted({one.rung for one in ran if _slowed(one.source)})
    said = "latency left out, the device ran under conditions that its card's fail_on rules out"
    return notes + ([f"{', '.join(slowed)}: {said}"] if slowed else [])


def _slowed(source: Source) -> bool:
    return bool(((source.host or {}).get("monitor") or {}).get("failed"))


def _latency(source: Source) -> float | None:
    """The median of one image; none from a board that was slowed down."""
    return None if source.latency is None or _slowed(source) else source.latency.p50


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean, where every one is known."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if values and len(known) == len(values) else None


def _coarse(key: str, value: float | None) -> float:
    """A figure as the front compares it, so that noise decides nothing: shares to 0.01 pt, megabytes whole, two digits
    of milliseconds; NaN where it is missing."""
    if value is None:
        return float("nan")
    if key == "latency_p50_ms":
        return round(value, 1 - floor(log10(value))) if value > 0 else 0.0
    return round(value, {"top1": 4, "bottom5": 4, "peak_memory_mb": 0}.get(key, 1))

"""What int8 of each kind of operator costs: files that differ in which operators are int8, sample by sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.regress import estimate_of
from edgeval.measures.overlap import flips
from edgeval.measures.paired import tango
from edgeval.measures.regression import Term, studentised
from edgeval.records.findings import Estimate
from edgeval.records.operators import KindCost, Measure, Tried
from edgeval.records.predictions import Predictions, Source
from edgeval.records.values import Values

Floats = NDArray[np.float64]
FLOAT, INT8, W8, A16W8 = "float", "int8", "w8", "16x8"
PERFECT = "the file it is set against makes no error: there is no ratio"


@dataclass(frozen=True)
class Answered:
    """What one file answered, and where it comes from.

    loss: (N,) mean squared error over the outputs, or 1 where the class is wrong; answers: (N, K) numbers or (N,)
    classes.
    """

    loss: Floats
    answers: NDArray[np.generic]
    source: Source


@dataclass(frozen=True)
class Limit:
    """What the damage may be: a share of the float file's mean squared error, or of the images."""

    measure: Measure
    allowed: float

    @property
    def none(self) -> float:
        """The value that stands for no damage."""
        return 1.0 if self.measure == "mse_ratio" else 0.0

    def holds(self, damage: Estimate) -> bool:
        """Whether the interval's bad end is inside; one that is approximate shows nothing."""
        return damage.ci95 is not None and not damage.approximate and damage.ci95[1] - self.none <= self.allowed

    def real(self, damage: Estimate) -> bool:
        """Whether the damage is more than chance."""
        return damage.ci95 is not None and not damage.approximate and damage.ci95[0] > self.none

    def in_words(self) -> str:
        """`5% of the float file's mean squared error`."""
        ratio = self.measure == "mse_ratio"
        return f"{100 * self.allowed:.3g}" + ("% of the float file's error" if ratio else " points of its top-1")


@dataclass(frozen=True)
class Kind:
    """One kind of operator, how many there are, and the names of its two files."""

    name: str
    operators: int
    only: str
    all_but: str


def from_values(table: Values) -> Answered:
    """What a regressor answered."""
    return Answered((table.errors**2).mean(axis=1), table.values, table.source)


def from_classes(table: Predictions) -> Answered:
    """What a classifier answered."""
    return Answered((~table.correct).astype(np.float64), table.classes, table.source)


def costs(
    found: Mapping[str, Answered], kinds: Sequence[Kind], limit: Limit
) -> tuple[tuple[Tried, ...], tuple[KindCost, ...]]:
    """The files that treat all operators alike, and each kind's two files; costliest kind first.

    found: by name, with `float` and `int8` among them, all on the same samples in the same order.
    """
    pairs = {f"damage/{name}": (one, found[FLOAT]) for name, one in found.items() if name != FLOAT}
    pairs |= {f"cost/{kind.name}": (found[INT8], found[kind.all_but]) for kind in kinds}
    stated = _paired(pairs, limit.measure)
    tried = {name: _tried(name, one, found[FLOAT], stated, limit) for name, one in found.items()}
    whole = tuple(tried[name] for name in (FLOAT, INT8, W8, A16W8) if name in tried)
    damage = tried[INT8].score - tried[FLOAT].score
    real = limit.real(tried[INT8].damage)
    rows = [
        KindCost(
            kind=kind.name,
            operators=kind.operators,
            only=tried[kind.only],
            all_but=tried[kind.all_but],
            cost=stated[f"cost/{kind.name}"],
            share=(tried[INT8].score - tried[kind.all_but].score) / damage if real else None,
            extra_bytes=tried[kind.all_but].size_bytes - tried[INT8].size_bytes,
        )
        for kind in kinds
    ]
    return whole, tuple(sorted(rows, key=lambda row: row.all_but.score))


def recommend(whole: Sequence[Tried], kinds: Sequence[KindCost], limit: Limit) -> tuple[Tried, str]:
    """The smallest file whose damage is within the limit with 95% confidence, and the sentence that says so."""
    files = [one for one in (*whole, *(kind.all_but for kind in kinds)) if one.within]
    best = min(files, key=lambda one: (one.size_bytes, one.latency_ms.p50 if one.latency_ms else 0.0))
    start, full = whole[0], next(one for one in whole if one.name == INT8)
    said = f"Take {best.name}: the smallest file that is shown to stay within {limit.in_words()}"
    said += f" ({_size(best)} of {_size(start)}; {in_words(best.damage, limit.measure)})."
    if best is start:
        said = f"Stay with float ({_size(start)}): no smaller file is shown to stay within {limit.in_words()}."
    else:
        tried = len(whole) - 1 + len(kinds)
        said += f" Picked from {tried} on these images, each at 95% by itself: let edgeval gate judge it on others."
    if full.within or not kinds:
        return best, said
    top = kinds[0]
    share = "" if top.share is None else f", {min(top.share, 1.0):.0%} of it by {top.kind}"
    more = f"{top.extra_bytes / 1000:+,.1f} kB in float" if share else ""
    tail = f"{share} ({more})" if share else ""
    return best, f"{said} Full int8 costs {in_words(full.damage, limit.measure)}{tail}."


def in_words(found: Estimate, measure: Measure) -> str:
    """A damage or a cost with its interval: `x1.31 (1.22 to 1.41)`, `+0.40 points (0.10 to 0.70)`."""
    if found.value is None:
        return "no ratio"
    ratio = measure == "mse_ratio"
    value = f"x{found.value:.3f}" if ratio else f"{100 * found.value:+.2f} points"
    if found.ci95 is None:
        return value
    low, high = found.ci95 if ratio else (100 * found.ci95[0], 100 * found.ci95[1])
    return f"{value} ({low:.3f} to {high:.3f})" if ratio else f"{value} ({low:+.2f} to {high:+.2f})"


def _size(one: Tried) -> str:
    return f"{one.size_bytes / 1000:,.1f} kB"


def _tried(name: str, one: Answered, start: Answered, stated: Mapping[str, Estimate], limit: Limit) -> Tried:
    """One file's row."""
    same = Estimate(value=None, method="the file that the others are set against")
    damage = stated.get(f"damage/{name}", same)
    runtime = one.source.runtime or {}
    return Tried(
        name=name,
        file=one.source.format,
        sha256=one.source.sha256 or "",
        size_bytes=one.source.size_bytes or 0,
        latency_ms=one.source.latency,
        delegate=runtime.get("delegate"),
        delegated=runtime.get("delegated"),
        score=float(one.loss.mean()),
        damage=damage,
        moved=_moved(one.answers, start.answers),
        within=name == FLOAT or limit.holds(damage),
    )


def _moved(answers: NDArray[np.generic], start: NDArray[np.generic]) -> float:
    """Root mean square of what numbers moved; the share of images with another class."""
    if answers.ndim == 1:
        return float((answers != start).mean())
    return float(np.sqrt(((answers.astype(np.float64) - start.astype(np.float64)) ** 2).mean()))


def _paired(pairs: Mapping[str, tuple[Answered, Answered]], measure: Measure) -> dict[str, Estimate]:
    """The first side's loss over the second's, or less it, with paired 95% intervals."""
    if measure == "top1_drop":
        return {name: _drop(one.loss, other.loss) for name, (one, other) in pairs.items()}
    terms = {
        name: Term(one.loss, other.loss, log=True)
        for name, (one, other) in pairs.items()
        if one.loss.any() and other.loss.any()
    }
    made = {name: estimate_of(found, len(terms[name].top), low=0.0) for name, found in studentised(terms).items()}
    return {name: made.get(name, Estimate(value=None, method=PERFECT)) for name in pairs}


def _drop(one: Floats, other: Floats) -> Estimate:
    """By how much more of the images are answered wrongly."""
    table = flips(other == 0, one == 0)
    low, high = tango(table.lost, table.gained, len(one))
    drop = (table.lost - table.gained) / len(one)
    return Estimate(value=drop, ci95=(-high, -low), method="Tango score")

"""How far answers move without any real difference: between kernel families, or between trainings by seed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from edgeval.measures import overlap
from edgeval.records.findings import Floor, FloorPair
from edgeval.records.predictions import Predictions


def floor(tables: Mapping[str, Predictions], *, seconds: float | None = None, note: str = "") -> Floor | None:
    """Every pair of these tables of the same samples, by name; None with fewer than two."""
    if len(tables) < 2:
        return None
    pairs = tuple(_pair(one, other, tables[one], tables[other]) for one, other in combinations(tables, 2))
    furthest = max(pairs, key=lambda pair: pair.lost + pair.gained)
    flips = furthest.lost + furthest.gained
    return Floor(
        n=furthest.n,
        pairs=pairs,
        flips=flips,
        share=flips / furthest.n,
        jaccard=furthest.jaccard,
        seconds=seconds,
        note=note,
    )


def _pair(one: str, other: str, a: Predictions, b: Predictions) -> FloorPair:
    """Answers that differ at all, and those that turned wrong or right."""
    table = overlap.flips(a.correct, b.correct)
    return FloorPair(
        one=one,
        other=other,
        n=table.n,
        changed=int((a.classes != b.classes).sum()),
        lost=table.lost,
        gained=table.gained,
        jaccard=overlap.jaccard(table),
    )

"""Where devices disagree: the same artifact on the same images, device by device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from edgeval.compare.align import align
from edgeval.measures import overlap, paired
from edgeval.records.fleet import Disagreement
from edgeval.records.predictions import Predictions


def disagreement(tables: Sequence[Predictions]) -> tuple[Disagreement, ...]:
    """Every pair of devices that ran the same file on the same data, file by file; in the order of the tables."""
    return tuple(_pair(one, other) for group in _same_file(tables) for one, other in combinations(group, 2))


def _same_file(tables: Sequence[Predictions]) -> Iterator[list[Predictions]]:
    """Tables with the same artifact and data; what has no hash is compared with nothing."""
    groups: dict[tuple[str, str], list[Predictions]] = {}
    for table in tables:
        if table.source.sha256 and table.source.data_sha256:
            groups.setdefault((table.source.sha256, table.source.data_sha256), []).append(table)
    yield from groups.values()


def _pair(one: Predictions, other: Predictions) -> Disagreement:
    """One device against another; Jaccard is a proportion of the union of their errors, hence Wilson's interval."""
    one, other, _ = align(one, other)
    table = overlap.flips(one.correct, other.correct)
    union = table.lost + table.gained + table.both_wrong
    return Disagreement(
        candidate=one.source.name,
        format=one.source.format,
        sha256=one.source.sha256 or "",
        one=one.source.target or one.source.name,
        other=other.source.target or other.source.name,
        n=table.n,
        changed=int((one.classes != other.classes).sum()),
        lost=table.lost,
        gained=table.gained,
        jaccard=overlap.jaccard(table),
        ci95=paired.wilson(table.both_wrong, union) if union else None,
    )

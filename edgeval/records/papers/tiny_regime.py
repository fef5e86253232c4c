"""The published results of "Scaling Laws in the Tiny Regime" (arXiv 2603.07365).

Figures are means over five seeds, as the authors' public result files give them (measurements under CC-BY 4.0, see
NOTICE); Jaccard indices are of seed 0.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from edgeval.records.cards import Record

LADDERS = ("scalecnn-cifar100", "mobilenetv2-cifar100")
PROTOCOL, SEEDS = "paper", (0, 1, 2, 3, 4)


class PublishedSize(Record):
    """One row of the paper's table: shares in 0..1, `sd` over seeds (ddof 0)."""

    ladder: str
    rung: str
    params: int
    top1: float
    top1_sd: float
    top5: float
    ece: float
    ece_sd: float
    gini: float
    bottom5: float
    bottom10: float
    bottom20: float

    @property
    def error(self) -> float:
        return 1 - self.top1


class PublishedOverlap(Record):
    """Jaccard index of the error sets of two rungs, seed 0."""

    ladder: str
    one: str
    other: str
    jaccard_seed0: float


@cache
def sizes() -> tuple[PublishedSize, ...]:
    """All 18 rows, smallest first within each ladder."""
    return tuple(PublishedSize.model_validate(row) for row in _rows("tiny-regime-sizes.csv"))


@cache
def overlaps() -> tuple[PublishedOverlap, ...]:
    """All pairs of rungs within each ladder."""
    return tuple(PublishedOverlap.model_validate(row) for row in _rows("tiny-regime-overlap.csv"))


def size(ladder: str, rung: str) -> PublishedSize | None:
    """The row of a rung, if the paper has it."""
    return next((row for row in sizes() if (row.ladder, row.rung) == (ladder, rung)), None)


def overlap(ladder: str, one: str, other: str) -> float | None:
    """The seed-0 Jaccard index of two rungs of a ladder, if the paper has it."""
    found = (row for row in overlaps() if row.ladder == ladder and {row.one, row.other} == {one, other})
    return next((row.jaccard_seed0 for row in found), None)


def _rows(name: str) -> Iterator[dict[str, str]]:
    with open(Path(__file__).with_name(name), encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)

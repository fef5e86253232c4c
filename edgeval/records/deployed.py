"""A ladder as deployed: what each rung gives and costs on a target, which to ship, and what became of the law."""

from __future__ import annotations

from edgeval.records.cards import Record
from edgeval.records.findings import Interval
from edgeval.records.laws import Law
from edgeval.records.predictions import Source
from edgeval.records.verdict import Status


class SeedDamage(Record):
    """What deployment did to one network: answers that turned wrong and right, and the net change of top-1."""

    seed: int
    lost: int
    gained: int
    delta: float
    ci95: Interval


class Damage(Record):
    """A rung as deployed against its own float network; means over the seeds."""

    lost: float
    gained: float
    delta: float
    ci95: Interval
    method: str
    by_seed: tuple[SeedDamage, ...]


class ShipRow(Record):
    """One rung on the target; means over its seeds. `lost` and `gained`: against the reference of the same seed.

    front: whether no other rung is at least as good in every objective and better in one.
    """

    name: str
    params: int
    seeds: tuple[int, ...]
    top1: float
    bottom5: float
    ece: float | None
    latency_p50_ms: float | None
    peak_memory_mb: float | None
    arena_kb: float | None
    artifact_kb: float | None
    lost: float | None
    gained: float | None
    front: bool
    damage: Damage | None


class Asked(Record):
    """Whether one rung keeps a measure within the margin; the seed with the worst bound stands for all of them."""

    rung: str
    status: Status
    seeds: tuple[int, ...]
    seed: int
    value: float | None
    bound: float | None
    good: float | None
    more_images: int | None
    why: str


class Kept(Record):
    """The smallest rung that keeps a measure within a margin of the reference; `rung` is null where none does.

    asked: from the largest rung down to the first that does not hold.
    """

    metric: str
    margin: float
    confidence: float
    rung: str | None
    asked: tuple[Asked, ...]
    method: str


class AlphaChange(Record):
    """alpha as deployed less alpha as trained."""

    value: float
    sd: float
    ci95: Interval
    method: str


class Deployed(Law):
    """The law on one target in one format, with what else decides which rung to ship.

    objectives: what spans the front; missing: what was not measured for every rung and is left out of it.
    """

    target: str
    format: str
    n: int
    source: Source
    reference: str
    reference_top1: float
    reference_bottom5: float
    reference_ece: float | None
    rows: tuple[ShipRow, ...]
    objectives: tuple[str, ...]
    missing: tuple[str, ...]
    kept: tuple[Kept, ...] = ()
    alpha_change: AlphaChange | None = None

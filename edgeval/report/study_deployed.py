"""A study's part on deployment: the law after quantisation, what each size lost to it, and where answers flipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeval.records.deployed import Deployed
from edgeval.records.study import FlipsRow, Study
from edgeval.report import ship, wording
from edgeval.report.blocks import Block, Heading, Table, Text, known_columns


def deployed_blocks(study: Study) -> Iterator[Block]:
    """Nothing where nothing was deployed."""
    if not study.deployed and not study.flips:
        return
    yield Heading("As deployed")
    if study.deployed:
        yield _exponents(study.deployed)
    for law in study.deployed:
        yield Heading(law.name, 3)
        for said in ship.answers(law):
            yield Text(said)
        yield _ship(law)
    yield from _flips(study.flips)


def _exponents(laws: Sequence[Deployed]) -> Table:
    """Does alpha change?"""
    body = []
    for law in laws:
        change = law.alpha_change
        body.append(
            (
                law.name,
                f"{law.alpha.value:.4f}",
                wording.DASH if change is None else f"{change.value:+.4f}".replace("-", wording.MINUS),
                wording.DASH if change is None else _ends(change.ci95),
                wording.DASH if change is None else change.method,
            )
        )
    head = ("Law", "alpha", "Change from torch", "95% interval", "Method")
    return Table(head, tuple(body), "The exponent as deployed, and its change paired by network and image")


def _ends(ends: tuple[float, float]) -> str:
    return f"{ends[0]:+.4f} to {ends[1]:+.4f}".replace("-", wording.MINUS)


def _ship(law: Deployed) -> Table:
    """What each size gives and costs there, and what deployment did to it."""
    body = []
    for row in law.rows:
        damage = row.damage
        body.append(
            (
                f"{row.name}{' *' if row.front else ''}",
                wording.percent(row.top1),
                wording.percent(row.bottom5),
                wording.DASH if row.ece is None else f"{row.ece:.4f}",
                _number(row.latency_p50_ms, 2),
                _number(row.artifact_kb, 1),
                _number(row.lost, 0),
                _number(row.gained, 0),
                wording.DASH if damage is None else wording.points(damage.delta),
                wording.DASH if damage is None else wording.change_interval("top1", damage.ci95),
                wording.DASH if damage is None else f"{damage.lost:,.0f}",
                wording.DASH if damage is None else f"{damage.gained:,.0f}",
            )
        )
    head: tuple[str, ...] = (
        "Size",
        "Top-1",
        "Bottom-5",
        "ECE",
        "Latency p50, ms",
        "File, kB",
        f"Lost to {law.reference}",
        "Gained",
    )
    head += ("Change from own torch", "95% interval", "Lost", "Gained")
    front = ", ".join(wording.METRIC_NAMES.get(name, name) for name in law.objectives)
    return known_columns(Table(head, tuple(body), f"Means over seeds; * on the Pareto front of {front}"))


def _number(value: float | None, digits: int) -> str:
    return wording.DASH if value is None else f"{value:,.{digits}f}"


def _flips(rows: Sequence[FlipsRow]) -> Iterator[Block]:
    """Where deployment changes answers."""
    if not rows:
        return
    yield Heading("Where deployment changes answers", 3)
    yield Text(
        "Every answer that became another class, right or wrong. Unsure half: share of them among the half of the"
        " images that torch was least sure of. Ten classes: share in the ten classes hit most, and what the same images"
        " would give if their classes were random."
    )
    body = tuple(
        (
            row.ladder,
            row.rung,
            f"{row.format} on {row.target}",
            f"{row.changed.mean:,.0f}" + (f" ± {row.changed.sd:,.0f}" if row.changed.n > 1 else ""),
            wording.percent(row.unsure, 1),
            _number(row.confidence_changed, 3),
            _number(row.confidence_same, 3),
            wording.percent(row.top_share, 1),
            wording.percent(row.top_share_chance, 1),
            ", ".join(row.top_classes[:5]),
        )
        for row in rows
    )
    head: tuple[str, ...] = (
        "Ladder",
        "Size",
        "Where",
        "Changed",
        "Unsure half",
        "Confidence of changed",
        "Of the others",
    )
    head += ("Ten classes", "By chance", "Most hit")
    yield Table(head, body, words=3)

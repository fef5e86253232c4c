"""What a terminal shows of a fleet: a line a target and candidate, who did not answer, and where they disagree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from edgeval.records.findings import Comparison
from edgeval.records.fleet import DeviceState, Disagreement, Fleet
from edgeval.report import judged, screen, wording
from edgeval.report.text import ASCII, notes_of

HEAD = f"  {'target':<18}{'candidate':<10}{'top-1':>7}{'change':>10}  {'95% interval':<18}{'lost':>6}{'gained':>7}"
JUDGED = f"  {'target':<18}{'candidate':<10}{'verdict':<14}{'top-1':>7}{'change':>10}{'lost':>7}{'gained':>8}"
PAIRS = f"  {'pair':<29}{'candidate':<10}{'differ':>6}{'lost':>6}{'gained':>7}{'Jaccard':>8}  95%"
MOST_PAIRS = 12


def render_fleet_text(fleet: Fleet, rows: Sequence[Comparison], *, report: Path | None) -> str:
    """The verdict first where there is one; then targets, disagreement and the report's path. ASCII, 80 columns."""
    blocks = [_headline(fleet, rows), "\n".join(_table(fleet, rows)), "\n".join(_broken(rows))]
    blocks += ["\n".join(_pairs(fleet)), "\n".join(notes_of(rows))]
    blocks += [f"Report: {report}"] if report is not None else []
    return "\n\n".join(block for block in blocks if block).translate(ASCII)


def _headline(fleet: Fleet, rows: Sequence[Comparison]) -> str:
    """The verdict on the whole; none where a target is missing."""
    said = screen.headline(rows)
    if not said or not fleet.gap:
        return said
    return screen.wrap(f"NO VERDICT: {fleet.gap}. The others: {' '.join(said.split())}")


def _table(fleet: Fleet, rows: Sequence[Comparison]) -> Iterator[str]:
    """One line a target and candidate, under one line of the reference where all have the same."""
    references = {row.reference.name: row.metrics["top1"].reference for row in rows}
    against = ", ".join(wording.clean(name, 40) for name in references)
    counts = {row.n for row in rows}
    n = f", n = {wording.count(rows[0].n)}" if len(counts) == 1 else ""
    yield f"{len(fleet.devices)} targets, {len(rows)} comparisons against {against}{n}"
    yield ""
    with_verdict = judged.overall(rows) is not None
    yield JUDGED if with_verdict else HEAD
    if len(references) == 1:
        gap = 42 if with_verdict else 28
        yield f"  {'reference':<{gap}}{wording.percent(next(iter(references.values()))):>7}"
    names = dict(zip(map(id, rows), wording.short_names(rows), strict=True))
    for device in fleet.devices:
        mine = [row for row in rows if wording.place(row) == device.name]
        for k, row in enumerate(mine):
            yield _line(row, _cut(device.name, 17) if k == 0 else "", names[id(row)], with_verdict)
        yield from _silent(device)


def _line(row: Comparison, device: str, name: str, with_verdict: bool) -> str:
    """One candidate on one target."""
    top1 = row.metrics["top1"]
    head = f"  {device:<18}{_cut(name, 9):<10}"
    figures = f"{wording.percent(top1.candidate):>7}{wording.points(top1.delta):>10}"
    if with_verdict:
        status = judged.status_words(row.verdict.status).upper() if row.verdict else ""
        return f"{head}{status:<14}{figures}{wording.count(row.flips.lost):>7}{wording.count(row.flips.gained):>8}"
    interval = wording.change_interval("top1", top1.ci95).removesuffix(" pt")
    return f"{head}{figures}  {interval:<18}{wording.count(row.flips.lost):>6}{wording.count(row.flips.gained):>7}"


def _silent(device: DeviceState) -> Iterator[str]:
    """A target that did not answer, with the reason."""
    if device.state == "answered":
        return
    first, *rest = screen.wrap(f"{device.state} (exit code {device.exit_code}): {device.error}", 58).splitlines()
    yield f"  {_cut(device.name, 17):<18}{first}"
    yield from (f"{'':<20}{line}" for line in rest)


def _broken(rows: Sequence[Comparison]) -> Iterator[str]:
    """The rules of those candidates that did not pass."""
    names = wording.short_names(rows)
    for row, name in zip(rows, names, strict=True):
        if row.verdict is not None and row.verdict.status != "PASS":
            yield f"{wording.clean(name, 30)} on {wording.clean(wording.place(row), 30)}:"
            yield from screen.rules(row.verdict)


def _pairs(fleet: Fleet) -> Iterator[str]:
    """Pairs of targets with the same file, those that differ most first."""
    if not fleet.disagreement:
        return
    ranked = sorted(fleet.disagreement, key=lambda pair: -pair.changed / pair.n)
    differing = [pair for pair in ranked if pair.changed]
    same = len(ranked) - len(differing)
    if not differing:
        yield "The same file gave the same answers on all targets that ran it."
        return
    yield from ("The same file on two targets:", PAIRS)
    yield from (_pair(pair) for pair in differing[:MOST_PAIRS])
    more = len(differing) - MOST_PAIRS
    if more > 0:
        yield f"  {more} more pairs differ: see the report"
    if same:
        yield f"  {same} more {'pair' if same == 1 else 'pairs'} without any difference"


def _pair(pair: Disagreement) -> str:
    """One pair."""
    ends = wording.visible(f"{pair.one} / {pair.other}")
    if len(ends) > 28:
        ends = f"{_cut(pair.one, 13)} / {_cut(pair.other, 12)}"
    name = _cut(pair.candidate.rpartition(":")[2], 9)
    overlap = f"{wording.DASH:>8}" if pair.jaccard is None else f"{pair.jaccard:>8.3f}"
    interval = "" if pair.ci95 is None else f"  {pair.ci95[0]:.2f}-{pair.ci95[1]:.2f}"
    counts = f"{wording.count(pair.changed):>6}{wording.count(pair.lost):>6}{wording.count(pair.gained):>7}"
    return f"  {ends:<29}{name:<10}{counts}{overlap}{interval}"


def _cut(text: str, width: int) -> str:
    """A name of at most this width, as a terminal without an ellipsis of one column shows it."""
    shown = wording.visible(text)
    return shown if len(shown) <= width else f"{shown[: width - 3]}..."

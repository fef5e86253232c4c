"""What a terminal shows after a comparison or a score: the few numbers that matter, within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from edgeval.records.findings import Comparison, Delta, Score, Stage
from edgeval.report import judged, screen, wording

ASCII = str.maketrans({wording.MINUS: "-", "→": "->", wording.DASH: "-", "…": "..."})
STEPS = f"{'lost':>8}{'gained':>8}{'net':>8}{'top-1':>9}{'ECE':>8}"
WORST = 5  # classes named under a score
NOTES = 3  # notes on the screen
SCORES = ("top1", "top5", "ece", "ece_equal_mass", "nll", "brier", "gini", "bottom5", "bottom10", "bottom20")


def render_text(rows: Sequence[Comparison], *, report: Path | None) -> str:
    """The verdict first where there is one; one row in full, or several in two tables; then where the report lies.

    Plain ASCII around the names, 80 columns.
    """
    blocks = [screen.headline(rows)]
    if len(rows) == 1:
        blocks.append(_row(rows[0]))
    elif rows:
        blocks += [_heads(rows), _judged(rows) if judged.overall(rows) else _all_steps(rows)]
    blocks.append("\n".join(notes_of(rows)))
    blocks += [f"Report: {report}"] if report is not None else []
    return "\n\n".join(block for block in blocks if block).translate(ASCII)


def render_score(score: Score) -> str:
    """Every measure of one table with its 95% interval, and its worst classes."""
    lines = [f"{wording.clean(score.source.name, 50)} ({wording.clean(score.source.format, 20)}), n = {score.n:,}", ""]
    for name in SCORES:
        estimate = getattr(score, name)
        if estimate.value is None:
            lines.append(f"  {_short(name):<30}{'-':>8}  {wording.clean(estimate.method or 'not computed', 38)}")
        else:
            interval = wording.value_interval(name, estimate.ci95) if estimate.ci95 else "no interval"
            lines.append(f"  {_short(name):<30}{wording.value(name, estimate.value):>8}  {interval}")
    known = sorted((c for c in score.per_class if c.value is not None), key=lambda c: (c.value or 0.0, c.index))
    if len(known) > 1:
        worst = ", ".join(f"{wording.clean(c.name, 24)} {wording.percent(c.value, 0)}" for c in known[:WORST])
        lines += ["", *_wrap(f"Worst classes: {worst}")]
    lines += [""] * bool(score.notes) + [line for note in score.notes for line in _wrap(f"Note: {note}")]
    return "\n".join(lines).translate(ASCII)


def _row(row: Comparison) -> str:
    """The block of one candidate."""
    head = f"{wording.clean(wording.title(row))} against {wording.clean(row.reference.name)}"
    lines = [*_wrap(head), f"  {_facts(row)}", "", _metric("top-1", "top1", row.metrics["top1"])]
    if "ece" in row.metrics:
        lines.append(_metric("ECE", "ece", row.metrics["ece"]))
    flips = f"{wording.count(row.flips.lost)} lost, {wording.count(row.flips.gained)} gained"
    lines.append(f"  {'flips':<7}{flips:<32}{wording.p_value(row.mcnemar.p)} ({wording.clean(row.mcnemar.method, 25)})")
    if row.verdict is not None:
        return "\n".join([*lines, "", *screen.rules(row.verdict)])
    return "\n".join([*lines, *_overlap(row), *_steps(row), *_rest(row)])


def _judged(rows: Sequence[Comparison]) -> str:
    """The rules of each candidate, under its name and verdict."""
    blocks = [
        "\n".join(
            [f"{wording.clean(short, 40)}: {judged.status_words(row.verdict.status)}", *screen.rules(row.verdict)]
        )
        for row, short in zip(rows, wording.short_names(rows), strict=True)
        if row.verdict is not None
    ]
    return "\n\n".join(blocks)


def _metric(label: str, name: str, m: Delta) -> str:
    """Both sides, the change and its interval."""
    if m.candidate is None or m.delta is None:
        return f"  {label:<7}{wording.DASH}  {wording.clean(m.method or 'not computed', 60)}"
    sides = f"{wording.value(name, m.reference)} → {wording.value(name, m.candidate)}"
    end = "no interval" if m.ci95 is None else f"95% {wording.change_interval(name, m.ci95)}"
    return f"  {label:<7}{sides:<20}{wording.change(name, m.delta):<12}{end}"


def _overlap(row: Comparison) -> list[str]:
    """The Jaccard index between what chance would give and what is possible."""
    o = row.overlap
    if o.jaccard is None or o.jaccard_max is None or o.jaccard_independent is None:
        return []
    ends = f" (95% {o.ci95[0]:.2f} to {o.ci95[1]:.2f})" if o.ci95 else ""
    return [
        f"  {'errors':<7}J {o.jaccard:.2f}{ends}; independent {o.jaccard_independent:.2f}, at most {o.jaccard_max:.2f}"
    ]


def _steps(row: Comparison) -> list[str]:
    """The chain, if there is one, with its closing sum."""
    if not row.stages:
        return []
    lost, gained = sum(s.lost for s in row.stages), sum(s.gained for s in row.stages)
    total = f"{_counts(lost, gained)}   {wording.count(row.cancelled)} flipped and flipped back"
    return ["", f"  {'step':<14}{STEPS}", *(f"  {s.name:<14}{_step(s)}" for s in row.stages), f"  {'sum':<14}{total}"]


def _heads(rows: Sequence[Comparison]) -> str:
    """One line a candidate, over one line of the reference."""
    reference, first = rows[0].reference, rows[0]
    lines = [
        f"{len(rows)} candidates against {wording.clean(reference.name, 40)}",
        *([f"  {_facts(first)}"] if len({_facts(row) for row in rows}) == 1 else []),
        "",
        f"  {'candidate':<20}{'top-1':>7}{'change':>10}  {'95% interval':<19}{'lost':>6}{'gained':>7}{'ECE':>7}",
        f"  {'reference':<20}{wording.percent(first.metrics['top1'].reference):>7}"
        f"{wording.value('ece', first.metrics['ece'].reference if 'ece' in first.metrics else None):>51}",
    ]
    for row, short in zip(rows, wording.short_names(rows), strict=True):
        top1, ece = row.metrics["top1"], row.metrics.get("ece")
        name = wording.clean(f"{short} ({row.candidate.format})", 19)
        change = f"{wording.points(top1.delta):>10}  {wording.change_interval('top1', top1.ci95):<19}"
        flips = f"{wording.count(row.flips.lost):>6}{wording.count(row.flips.gained):>7}"
        end = wording.value("ece", ece.candidate if ece else None)
        lines.append(f"  {name:<20}{wording.percent(top1.candidate):>7}{change}{flips}{end:>7}")
    return "\n".join(lines)


def _all_steps(rows: Sequence[Comparison]) -> str:
    """The chains of several candidates in one table; empty where none has one."""
    lines = [
        f"  {wording.clean(short, 13) if k == 0 else '':<14}{s.name:<14}{_step(s)}"
        for row, short in zip(rows, wording.short_names(rows), strict=True)
        for k, s in enumerate(row.stages)
    ]
    return "\n".join([f"  {'candidate':<14}{'step':<14}{STEPS}", *lines]) if lines else ""


def _step(s: Stage) -> str:
    return f"{_counts(s.lost, s.gained)}{wording.percent(s.top1):>9}{wording.value('ece', s.ece):>8}"


def _counts(lost: int, gained: int) -> str:
    return f"{wording.count(lost):>8}{wording.count(gained):>8}{wording.signed_count(gained - lost):>8}"


def _facts(row: Comparison) -> str:
    """Origin, runtime and number of images."""
    badge, n = wording.clean(wording.badge(row.target), 22), f"n = {wording.count(row.n)}"
    runtime = wording.clean(wording.runtime_words(row.target), 70 - len(badge) - len(n))
    return ", ".join(part for part in (badge, runtime, n) if part)


def _rest(row: Comparison) -> list[str]:
    """The power of the run and its latency, or what it needs of a microcontroller."""
    lines = []
    if row.smallest_drop is not None:
        drop = wording.drop_words(row.smallest_drop)
        lines.append(f"  smallest top-1 drop this run could have seen: {drop}")
    if row.latency_ms is not None:
        lines.append(f"  latency {wording.latency(row.latency_ms)}")
    if row.candidate.arena is not None:
        lines.append(f"  {wording.microcontroller(row.candidate)}")
    return ["", *lines] if lines else []


def notes_of(rows: Sequence[Comparison]) -> list[str]:
    """The first notes, each once; the report has them all."""
    notes = list(dict.fromkeys(note for row in rows for note in row.notes))
    lines = [f"  {line}" for note in notes[:NOTES] for line in _wrap(f"note: {note}", 76)]
    return (
        [*lines, f"  {len(notes) - NOTES} more {'note' if len(notes) == NOTES + 1 else 'notes'} in the report"]
        if len(notes) > NOTES
        else lines
    )


def _short(name: str) -> str:
    return wording.metric_name(name).replace(", 15 equal-width bins", "")


def _wrap(text: str, width: int = 78) -> list[str]:
    """Lines of at most `width` columns; names are cleaned, long notes go on in an indented line."""
    return textwrap.wrap(wording.visible(text), width, subsequent_indent="  ", break_on_hyphens=False)

"""The short report for a pull request or a CI summary, in GitHub's Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from edgeval.errors import InputError
from edgeval.records.findings import Comparison
from edgeval.records.fleet import Disagreement, Fleet
from edgeval.records.verdict import RuleResult
from edgeval.report import judged, wording

HEAD = (
    "| Candidate | n | Top-1 | Change | 95% interval | Lost | Gained | ECE | Change | 95% interval | Jaccard |\n"
    "| :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |"
)
STEPS = (
    "| Step | Lost | Gained | Net | Top-1 after | ECE after | Jaccard |\n| :-- | --: | --: | --: | --: | --: | --: |"
)
RULES = "| Verdict | Rule | Measured | At worst | Confidence | Remark |\n| :-- | :-- | --: | --: | --: | :-- |"
EMOJI = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "❔", "NO_VERDICT": "⚠️"}
PAIRS = (
    "| Targets | Candidate | Answers that differ | Lost | Gained | Jaccard | 95% interval |\n"
    "| :-- | :-- | --: | --: | --: | --: | --: |"
)
MEASURES = "| Measure | Reference | Candidate | Change | 95% interval | Method |\n| :-- | --: | --: | --: | --: | :-- |"


def render_markdown(rows: Sequence[Comparison]) -> str:
    """One table with a line a candidate, then the steps and measures of each, folded. Raises InputError without a row.

    Names are escaped: they can neither break a table nor bring in HTML, a link or a mention.
    """
    if not rows:
        raise InputError("there is no comparison to report", hint="edgeval compare --target NAME")
    reference = rows[0].reference
    judge = judged.overall(rows)
    end = "Change = candidate − reference." + ("" if judge else " A comparison does not judge; `edgeval gate` does.")
    parts = [
        *_verdicts(rows),
        f"### Compared with {escape(reference.name)} ({escape(reference.format)})",
        "\n".join([HEAD, *(_line(row) for row in rows)]),
        *(_row(row) for row in rows),
        f"<sub>{end}</sub>",
    ]
    return "\n\n".join(parts) + "\n"


def render_fleet_markdown(fleet: Fleet, rows: Sequence[Comparison]) -> str:
    """The same for several targets: who did not answer comes first, where they disagree last. Raises InputError."""
    silent = [
        f"- ⚠️ **{escape(device.name)}** {device.state} (exit code {device.exit_code}): {escape(device.error, 400)}"
        for device in fleet.silent
    ]
    judge = judged.overall(rows) is not None
    head = [f"## {EMOJI['NO_VERDICT']} NO VERDICT: {escape(fleet.gap, 400)}"] if judge and silent else []
    parts = [*head, "\n".join(silent)] if silent else []
    parts.append(render_markdown(rows).rstrip("\n"))
    if fleet.disagreement:
        lines = [_cells(_disagreement(pair)) for pair in fleet.disagreement]
        parts += ["### Where targets disagree, on the same file", "\n".join([PAIRS, *lines])]
    return "\n\n".join(parts) + "\n"


def _disagreement(pair: Disagreement) -> list[str]:
    """One pair of targets."""
    overlap = wording.DASH if pair.jaccard is None else f"{pair.jaccard:.3f}"
    return [
        f"{escape(pair.one)} / {escape(pair.other)}",
        f"{escape(pair.candidate)} ({escape(pair.format)})",
        f"{wording.count(pair.changed)} of {wording.count(pair.n)}",
        wording.count(pair.lost),
        wording.count(pair.gained),
        overlap,
        wording.DASH if pair.ci95 is None else f"{pair.ci95[0]:.3f} to {pair.ci95[1]:.3f}",
    ]


def _verdicts(rows: Sequence[Comparison]) -> list[str]:
    """The verdict of all rows as the heading, then that of each row with its rules."""
    status = judged.overall(rows)
    if status is None:
        return []
    parts = [f"## {EMOJI[status]} {judged.status_words(status).upper()}"]
    for row in rows:
        if row.verdict is not None:
            head = f"**{escape(wording.title(row), 120)}**: " if len(rows) > 1 else ""
            word = f"{EMOJI[row.verdict.status]} {judged.status_words(row.verdict.status)}. " if len(rows) > 1 else ""
            parts.append(f"{head}{word}{escape(judged.summary(row.verdict), 900)}")
            parts += ["\n".join([RULES, *(_rule(rule) for rule in row.verdict.rules)])] if row.verdict.rules else []
            parts += ["\n".join(f"- {escape(reason, 400)}" for reason in judged.remarks(row.verdict)[:20])]
    return [part for part in parts if part]


def _rule(rule: RuleResult) -> str:
    """One rule as a line of its table."""
    bad = [escape(one.name, 40) for one in judged.troubled(rule)]
    names = f"; classes: {', '.join(bad[:10])}{' and more' if len(bad) > 10 else ''}" if bad else ""
    note = judged.more(rule) if rule.status == "INCONCLUSIVE" else ""
    note = escape("; ".join(part for part in (note, rule.why) if part), 300) + names
    return _cells(
        [
            f"{EMOJI[rule.status]} {judged.status_words(rule.status)}",
            f"{escape(judged.about(rule))} {judged.asked(rule)}",
            judged.figure(rule, rule.value),
            judged.figure(rule, rule.bound),
            f"{100 * rule.confidence:g}%",
            note.removeprefix("; "),
        ]
    )


def escape(text: str, limit: int = 80) -> str:
    """A name as plain text: no markup, no table border, no HTML, no @mention, no line break."""
    shown = wording.clean(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # The zero-width space keeps @name from notifying a person.
    return re.sub(r"([\\`*_{}\[\]#+!|~$]|(?<=\])\()", r"\\\1", shown).replace("@", "@\u200b")


def _line(row: Comparison) -> str:
    """One candidate as a line of the first table."""
    top1, ece = row.metrics["top1"], row.metrics.get("ece")
    cells = [
        f"**{escape(wording.title(row), 120)}** ({escape(wording.badge(row.target))})",
        wording.count(row.n),
        f"{wording.percent(top1.reference)} → {wording.percent(top1.candidate)}",
        wording.change("top1", top1.delta),
        wording.change_interval("top1", top1.ci95),
        wording.count(row.flips.lost),
        wording.count(row.flips.gained),
    ]
    if ece is None or ece.candidate is None:
        cells += [wording.DASH] * 3
    else:
        cells.append(f"{wording.value('ece', ece.reference)} → {wording.value('ece', ece.candidate)}")
        cells += [wording.change("ece", ece.delta), wording.change_interval("ece", ece.ci95)]
    cells.append(wording.DASH if row.overlap.jaccard is None else f"{row.overlap.jaccard:.2f}")
    return _cells(cells)


def _row(row: Comparison) -> str:
    """The sentence of one candidate, and its details folded."""
    test = f"Test of lost = gained: {wording.p_value(row.mcnemar.p)} ({escape(row.mcnemar.method)})"
    least = (
        ""
        if row.smallest_drop is None
        else f"; smallest drop this run could have seen: {wording.drop_words(row.smallest_drop)}"
    )
    # Markdown is not read inside this line, so the name is escaped as HTML.
    summary = html.escape(wording.clean(wording.title(row), 120)).replace("@", "@\u200b").replace("[", "&#91;")
    parts = [f"{wording.sentence(row)} {test}{least}."]
    parts.append(f"<details><summary>{summary}: steps, measures, notes</summary>")
    parts += [_steps(row)] if row.stages else []
    parts.append("\n".join([MEASURES, *_measures(row)]))
    parts += ["\n".join(f"- {escape(note, 400)}" for note in row.notes)] if row.notes else []
    parts += [f"Run it again:\n\n{_code(row.command)}"] if row.command else []
    return "\n\n".join([*parts, "</details>"])


def _steps(row: Comparison) -> str:
    """The chain with its closing sum."""
    lines = [
        _cells(
            [
                f"{s.name}: {escape(s.from_)} → {escape(s.to)}",
                wording.count(s.lost),
                wording.count(s.gained),
                wording.signed_count(s.net),
                wording.percent(s.top1),
                wording.value("ece", s.ece),
                wording.DASH if s.jaccard is None else f"{s.jaccard:.2f}",
            ]
        )
        for s in row.stages
    ]
    lost, gained = sum(s.lost for s in row.stages), sum(s.gained for s in row.stages)
    net = wording.signed_count(gained - lost)
    total = _cells(["**sum**", wording.count(lost), wording.count(gained), f"**{net}**", "", "", ""])
    return "\n".join([STEPS, *lines, total]) + f"\n\n{wording.count(row.cancelled)} images flipped and flipped back."


def _measures(row: Comparison) -> list[str]:
    return [
        _cells(
            [
                escape(wording.metric_name(name)),
                wording.value(name, m.reference),
                wording.value(name, m.candidate),
                wording.change(name, m.delta),
                wording.change_interval(name, m.ci95),
                escape(f"{'no interval: ' if m.ci95 is None else ''}{m.method or 'not computed'}", 200),
            ]
        )
        for name, m in row.metrics.items()
    ]


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """A fenced block whose fence is longer than any run of backticks inside."""
    shown = wording.visible(text)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", shown)), default=0))
    return f"{fence}console\n{shown}\n{fence}"

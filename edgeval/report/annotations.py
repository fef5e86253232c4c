"""The verdict as workflow commands, which GitHub shows beside a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeval.records.verdict import RuleResult, Status
from edgeval.report import judged, wording
from edgeval.report.judged import Row

# GitHub keeps ten of each kind a step, so the worst come first.
KINDS = {"NO_VERDICT": "error", "FAIL": "error", "INCONCLUSIVE": "warning", "PASS": "notice"}


def render_annotations(rows: Sequence[Row]) -> str:
    """One line a rule that does not hold, and one notice a candidate whose rules all do; empty without a verdict."""
    found = sorted((line for row in rows for line in _row(row)), key=lambda line: judged.RANK.index(line[0]))
    return "".join(f"::{KINDS[status]} title={prop(title)}::{data(message)}\n" for status, title, message in found)


def prop(text: str) -> str:
    """A property of a workflow command: as `data`, and without what ends a property."""
    return data(text).replace(":", "%3A").replace(",", "%2C")


def data(text: str) -> str:
    """The message of a workflow command: one line, with percent signs and line ends escaped."""
    shown = "\n".join(wording.visible(line) for line in text.splitlines())
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _row(row: Row) -> Iterator[tuple[Status, str, str]]:
    """(status, title, message) of each line."""
    if row.verdict is None:
        return
    name = f"edgeval: {wording.clean(wording.title(row), 120)}"
    open_rules = [rule for rule in row.verdict.rules if rule.status != "PASS"]
    if row.verdict.status == "NO_VERDICT" or not open_rules:
        lines = [judged.summary(row.verdict), *(wording.clean(reason, 400) for reason in row.verdict.reasons[1:20])]
        yield row.verdict.status, f"{name}: {judged.status_words(row.verdict.status)}", "\n".join(lines)
    for rule in open_rules:
        yield rule.status, f"{name}: {judged.status_words(rule.status)}", _message(rule)


def _message(rule: RuleResult) -> str:
    """The rule with its figures, and the classes that do not hold."""
    bad = [wording.clean(one.name, 40) for one in rule.classes if one.status != "PASS"]
    names = f"\nclasses: {', '.join(bad[:20])}{', ...' if len(bad) > 20 else ''}" if bad else ""
    why = f"\n{wording.clean(rule.why, 300)}" if rule.why and rule.bound is not None else ""
    return judged.full(rule) + why + names

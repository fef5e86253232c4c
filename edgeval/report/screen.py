"""The verdict as a terminal shows it first: the word, why, and a line a rule."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from edgeval.records.findings import Comparison
from edgeval.records.verdict import RuleResult, Verdict
from edgeval.report import judged, wording

SHORT = {"max_drop": "drop <= {}", "max_increase": "rise <= {}", "max": "<= {}", "min": ">= {}"}
HEAD = f"  {'verdict':<14}{'rule':<16}{'asked':<20}{'measured':>12}{'at worst':>13}"
MOST_RULES = 12
MOST_CLASSES = 3


def headline(rows: Sequence[Comparison]) -> str:
    """'FAIL  why'; empty where nothing was judged."""
    status, found = judged.overall(rows), judged.verdicts(rows)
    if status is None:
        return ""
    mine = [verdict for verdict in found if verdict.status == status]
    why = judged.summary(mine[0]) if len(mine) == 1 else ""
    if len(found) > 1:
        why = f"{len(mine)} of {len(found)} candidates. {why}".strip()
    return wrap(f"{judged.status_words(status).upper()}: {why}")


def rules(verdict: Verdict) -> list[str]:
    """A line a rule, those that do not hold first, and under it what would decide it."""
    if not verdict.rules:
        return [f"  {line}" for reason in verdict.reasons[:5] for line in wrap(reason, 76).splitlines()]
    ranked = sorted(verdict.rules, key=lambda rule: judged.RANK.index(rule.status))
    lines = [HEAD, *(line for rule in ranked[:MOST_RULES] for line in _rule(rule))]
    more = len(ranked) - MOST_RULES
    lines += [f"  {more} more rules in the report"] if more > 0 else []
    look = f"  look {verdict.look} at these data: the level is spent over all looks"
    return [*lines, look] if verdict.look > 1 else lines


def wrap(text: str, width: int = 78) -> str:
    """Lines of at most `width` columns, those after the first indented."""
    shown = wording.visible(text).replace("…", "...").replace("→", "->")  # as wide as the terminal will show them
    return "\n".join(textwrap.wrap(shown, width, subsequent_indent="  ", break_on_hyphens=False))


def _rule(rule: RuleResult) -> list[str]:
    """One rule."""
    asked = SHORT[rule.limit].format(judged.limit(rule))
    figures = f"{judged.figure(rule, rule.value):>12}{judged.figure(rule, rule.bound):>13}"
    status = judged.status_words(rule.status).upper()
    lines = [f"  {status:<14}{wording.clean(rule.metric, 14):<16}{asked:<20}{figures}"]
    under = []
    if rule.status == "INCONCLUSIVE" and rule.more_images:
        under.append(judged.more(rule))
    if rule.bound is None:
        under.append(judged.bound_words(rule))
    under += [f"of the output {wording.clean(rule.output, 40)}"] if rule.output else []
    bad = [wording.clean(one.name, 24) for one in judged.troubled(rule)]
    if bad:
        rest = f" and {len(bad) - MOST_CLASSES} more" if len(bad) > MOST_CLASSES else ""
        under.append(f"classes: {', '.join(bad[:MOST_CLASSES])}{rest}")
    return [*lines, *(f"{'':<16}{line}" for text in under for line in wrap(text, 62).splitlines())]

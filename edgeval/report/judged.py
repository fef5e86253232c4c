"""How a verdict and its rules are worded, the same in every report."""

from __future__ import annotations

from collections.abc import Sequence

from edgeval.records.findings import Comparison
from edgeval.records.regression import RegressionComparison
from edgeval.records.verdict import ClassResult, RuleResult, Status, Verdict
from edgeval.report import wording

Row = Comparison | RegressionComparison

RANK: tuple[Status, ...] = ("NO_VERDICT", "FAIL", "INCONCLUSIVE", "PASS")
WORDS = {"PASS": "pass", "FAIL": "fail", "INCONCLUSIVE": "inconclusive", "NO_VERDICT": "no verdict"}
MOST_TOLD = 12
ABSOLUTE = ("max", "min")
LIMITS = {
    "max_drop": "may drop by at most {}",
    "max_increase": "may rise by at most {}",
    "max": "is at most {}",
    "min": "is at least {}",
}


def verdicts(rows: Sequence[Row]) -> list[Verdict]:
    """The verdicts of those rows that have one."""
    return [row.verdict for row in rows if row.verdict is not None]


def overall(rows: Sequence[Row]) -> Status | None:
    """The verdict on all rows: that of the worst; None where nothing was judged."""
    found = {verdict.status for verdict in verdicts(rows)}
    return next((status for status in RANK if status in found), None)


def status_words(status: str) -> str:
    """NO_VERDICT -> 'no verdict'; a status that is not known stays as it is."""
    return WORDS.get(status, status)


def summary(verdict: Verdict) -> str:
    """Why, in one sentence: the count of rules by status, and what would decide the open ones."""
    rules = verdict.rules
    if verdict.status == "NO_VERDICT":
        return _stop(verdict.reasons[0] if verdict.reasons else "the numbers cannot be trusted, so nothing was judged")
    if verdict.status == "PASS":
        many = "Both" if len(rules) == 2 else f"All {wording.count(len(rules))}"
        return "The only rule holds." if len(rules) == 1 else f"{many} rules hold."
    mine = [rule for rule in rules if rule.status == verdict.status]
    say = _with_value if verdict.status == "FAIL" else _short
    said = list(dict.fromkeys(map(say, mine)))
    names = ", ".join(said[:3]) + (", ..." if len(said) > 3 else "")
    share = f"{wording.count(len(mine))} of {wording.count(len(rules))} rules"
    if verdict.status == "FAIL":
        return f"{share} is broken: {_broken(mine[0])}." if len(mine) == 1 else f"{share} are broken: {names}."
    more = max((rule.more_images or 0 for rule in mine), default=0)
    end = f"; about {wording.count(more)} more images decide {'it' if len(mine) == 1 else 'them'}" if more else ""
    return f"{share} {'is' if len(mine) == 1 else 'are'} still open: {names}{end}."


def troubled(rule: RuleResult) -> list[ClassResult]:
    """The classes that did not pass, the failing ones first, then those with the worst bound."""
    found = [one for one in rule.classes if one.status != "PASS"]
    return sorted(found, key=lambda one: (RANK.index(one.status), one.bound is not None, one.bound or 0.0))


def told(rule: RuleResult) -> list[ClassResult]:
    """The classes that a page lists under their rule: all of a few, else those that did not pass, at most twelve."""
    return list(rule.classes) if len(rule.classes) <= MOST_TOLD else troubled(rule)[:MOST_TOLD]


def remarks(verdict: Verdict) -> list[str]:
    """The reasons that are not already said beside their rule."""
    said = tuple(f"{rule.text}: " for rule in verdict.rules if rule.text)
    return [reason for reason in verdict.reasons if not (said and reason.startswith(said))]


def about(rule: RuleResult) -> str:
    """What the rule is about: 'Ratio of mean squared errors of theta'."""
    return wording.metric_name(rule.metric) + (f" of {wording.clean(rule.output, 40)}" if rule.output else "")


def asked(rule: RuleResult) -> str:
    """What the rule asks for, as a sentence without its metric: 'may drop by at most 2.00 pt'."""
    return LIMITS[rule.limit].format(limit(rule))


def limit(rule: RuleResult) -> str:
    """The margin in its own unit, without a sign where it is a change."""
    if rule.limit in ABSOLUTE:
        return wording.value(rule.metric, rule.margin)
    return wording.change(rule.metric, rule.margin).lstrip("+")


def figure(rule: RuleResult, number: float | None) -> str:
    """A value or bound of the rule: a figure under an absolute limit, a change with its sign under the others."""
    return wording.value(rule.metric, number) if rule.limit in ABSOLUTE else wording.change(rule.metric, number)


def line(rule: RuleResult) -> float:
    """Where the margin lies on the axis of `value` and `bound`."""
    return -rule.margin if rule.limit == "max_drop" else rule.margin


def higher_is_better(rule: RuleResult) -> bool:
    """Whether the allowed side of the margin is the right one."""
    return rule.limit in ("max_drop", "min")


def more(rule: RuleResult) -> str:
    """'about 1,200 more images decide it', or nothing."""
    return "" if not rule.more_images else f"about {wording.count(rule.more_images)} more images decide it"


def bound_words(rule: RuleResult) -> str:
    """'at worst −1.9 pt at 95% confidence', or why there is no bound."""
    if rule.bound is None:
        return rule.why or rule.method or "not measured"
    return f"at worst {figure(rule, rule.bound)} at {100 * rule.confidence:g}% confidence"


def full(rule: RuleResult) -> str:
    """The rule, its value and its bound in one line."""
    words = [f"{about(rule)} {asked(rule)}"]
    words += [f"measured {figure(rule, rule.value)}"] if rule.value is not None else []
    words += [bound_words(rule)]
    words += [more(rule)] if rule.more_images and rule.status == "INCONCLUSIVE" else []
    return ", ".join(words)


def _broken(rule: RuleResult) -> str:
    """One broken rule with its figures."""
    best = "" if rule.good is None else f" (at best {figure(rule, rule.good)})"
    verb = "was" if rule.limit in ABSOLUTE else "changed by"
    found = f", and {verb} {figure(rule, rule.value)}{best}" if rule.value is not None else ""
    must = asked(rule).replace("is at", "may be at", 1) if rule.limit in ABSOLUTE else asked(rule)
    return f"{_short(rule)} {must}{found}"


def _short(rule: RuleResult) -> str:
    return about(rule).replace(", 15 equal-width bins", "")


def _with_value(rule: RuleResult) -> str:
    """'Top-1 accuracy (−6.60 pt)'."""
    return _short(rule) if rule.value is None else f"{_short(rule)} ({figure(rule, rule.value)})"


def _stop(text: str) -> str:
    """A sentence with one full stop at its end."""
    return text if text.endswith((".", "!", "?")) else text + "."

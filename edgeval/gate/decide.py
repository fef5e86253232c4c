"""One figure against its limit: inside, outside, or undecided, and the record that says so."""

from __future__ import annotations

from edgeval.gate.bounds import Figure
from edgeval.gate.plan import more_images
from edgeval.records.gate import HIGH, Rule
from edgeval.records.verdict import RuleResult, Status

PRECEDENCE: tuple[Status, ...] = ("NO_VERDICT", "FAIL", "INCONCLUSIVE", "PASS")
SLACK = 1e-12  # of an end that lies on the limit to the last bit


def decide(rule: Rule, found: Figure, margin: float | None) -> tuple[Status, str]:
    """Non-inferiority: PASS when the interval's bad end is inside the limit, FAIL when its good end is outside."""
    if found.value is None or found.lo is None or found.hi is None:
        return "NO_VERDICT", found.missing
    if margin is None:
        return "NO_VERDICT", "a limit in % needs the reference's own figure"
    high = rule.limit in HIGH
    limit = -margin if rule.limit == "max_drop" else margin
    bad, good = (found.lo, found.hi) if high else (found.hi, found.lo)
    inside = bad >= limit - SLACK if high else bad <= limit + SLACK
    outside = good < limit - SLACK if high else good > limit + SLACK
    if found.approximate and (inside or outside):
        return "INCONCLUSIVE", f"its interval is approximate and may not decide: {found.approximate}"
    if found.lo == found.hi:
        return ("PASS", "inside the limit, as measured") if inside else ("FAIL", "outside the limit, as measured")
    if inside:
        return "PASS", "the whole interval lies inside the limit"
    if outside:
        return "FAIL", "the whole interval lies outside the limit"
    return "INCONCLUSIVE", "the limit lies inside the interval"


def result(
    rule: Rule, found: Figure, margin: float | None, confidence: float, *, status: Status, why: str
) -> RuleResult:
    """The record of a judged rule; an inconclusive one says about how many more images would decide it."""
    high = rule.limit in HIGH
    bad, good = (found.lo, found.hi) if high else (found.hi, found.lo)
    more = None
    if status == "INCONCLUSIVE" and margin is not None and not found.approximate:
        more = more_images(rule, found, margin, confidence)
        about = f"about {more:,} more images decide it" if more else "more images will hardly decide it"
        why = f"{why}; {about}"
    return RuleResult(
        metric=rule.metric,
        margin=margin if margin is not None else rule.amount.number,
        value=found.value,
        bound=bad,
        good=good,
        confidence=confidence,
        status=status,
        more_images=more,
        limit=rule.limit,
        text=rule.text,
        why=why,
        method=found.method,
        output=rule.output,
    )

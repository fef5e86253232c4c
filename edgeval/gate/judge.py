"""Hold the rules against the evidence: PASS, FAIL, INCONCLUSIVE or NO_VERDICT, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeval.errors import InputError
from edgeval.gate.bounds import Figure, class_figure, figure
from edgeval.gate.plan import more_images
from edgeval.measures.families import named_classes, worst_class
from edgeval.records.cards import nearest
from edgeval.records.evidence import Evidence
from edgeval.records.findings import ClassResult, RuleResult, Status, Verdict
from edgeval.records.gate import HIGH, Rule

EXIT: dict[Status, int] = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3, "NO_VERDICT": 5}
PRECEDENCE: tuple[Status, ...] = ("NO_VERDICT", "FAIL", "INCONCLUSIVE", "PASS")
SLACK = 1e-12  # of an end that lies on the margin to the last bit


@dataclass(frozen=True)
class Look:
    """Which look at these data this is, and the share of each rule's level (1 - confidence) that it may spend."""

    number: int = 1
    spends: float = 1.0
    note: str = ""

    def confidence(self, rule: Rule) -> float:
        """One-sided confidence that the rule is judged at in this look."""
        return 1 - (1 - rule.confidence) * self.spends


def judge(evidence: Evidence, rules: Sequence[Rule], look: Look, distrust: Sequence[str] = ()) -> Verdict:
    """The verdict on one comparison. `distrust`: what forbids a verdict whatever the figures say (see `trust`)."""
    results = tuple(_judged(rule, evidence, look) for rule in rules)
    statuses = {result.status for result in results} | ({"NO_VERDICT"} if distrust else set())
    status = next(status for status in PRECEDENCE if status in statuses)
    reasons = [*distrust, *(f"{result.text}: {result.why}" for result in results if result.status == status)]
    if look.note:
        reasons.append(look.note)
    return Verdict(status=status, exit_code=EXIT[status], look=look.number, reasons=tuple(reasons), rules=results)


def worst(statuses: Sequence[Status]) -> Status:
    """The status that counts for several comparisons: NO_VERDICT, FAIL, INCONCLUSIVE, PASS in this order."""
    return next(status for status in PRECEDENCE if status in statuses)


def _judged(rule: Rule, evidence: Evidence, look: Look) -> RuleResult:
    """One rule."""
    if rule.metric == "class_accuracy":
        return _classes(rule, evidence, look)
    confidence = look.confidence(rule)
    found = figure(rule, evidence, confidence)
    margin = rule.margin(found.reference)
    status, why = _decide(rule, found, margin)
    return _result(rule, found, margin, confidence, status=status, why=why)


def _decide(rule: Rule, found: Figure, margin: float | None) -> tuple[Status, str]:
    """Non-inferiority: PASS when the bad end is inside the margin, FAIL when the good end is outside it."""
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
    if inside:
        return "PASS", "the whole interval lies inside the limit"
    if outside:
        return "FAIL", "the whole interval lies outside the limit"
    return "INCONCLUSIVE", "the limit lies inside the interval"


def _result(
    rule: Rule, found: Figure, margin: float | None, confidence: float, *, status: Status, why: str
) -> RuleResult:
    """The record of a judged rule."""
    high = rule.limit in HIGH
    bad, good = (found.lo, found.hi) if high else (found.hi, found.lo)
    more = None
    if status == "INCONCLUSIVE" and margin is not None:
        more = more_images(rule, found, margin, confidence)
        about = f"about {more:,} more images decide it" if more else "more images will hardly decide it"
        why = f"{why}; {about}" if not found.approximate else why
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
    )


def _classes(rule: Rule, evidence: Evidence, look: Look) -> RuleResult:
    """Several classes: PASS asks each at its own confidence (intersection-union); FAIL is corrected for them all."""
    confidence, names = look.confidence(rule), evidence.comparison.class_names
    chosen = [_index(name, names) for name in rule.classes] if rule.classes else _present(evidence)
    change = rule.limit == "max_drop"
    found = [class_figure(evidence, index, confidence, change=change) for index in chosen]
    margins = [rule.margin(one.reference) for one in found]
    single: list[Status] = [_decide(rule, one, margin)[0] for one, margin in zip(found, margins, strict=True)]
    single = ["INCONCLUSIVE" if status == "NO_VERDICT" else status for status in single]
    if change:
        damaged = _damaged(rule, evidence, chosen, margins, confidence)
        single = [
            "FAIL" if bad else "INCONCLUSIVE" if s == "FAIL" else s for bad, s in zip(damaged, single, strict=True)
        ]
    status = next((s for s in PRECEDENCE if s in single), "INCONCLUSIVE")
    k = min(range(len(chosen)), key=lambda i: (PRECEDENCE.index(single[i]), _badness(rule, found[i])), default=None)
    if k is None:
        return _result(rule, Figure(None), None, confidence, status="NO_VERDICT", why="no class has a sample")
    counts = [(s, single.count(s)) for s in PRECEDENCE if s in single]
    many = ", ".join(f"{count} {s}" for s, count in counts) if len(chosen) > 1 else ""
    why = f"{names[chosen[k]]}: {_class_why(rule, single[k], found[k])}" + (f" ({many})" if many else "")
    result = _result(rule, found[k], margins[k], confidence, status=status, why=why)
    parts = tuple(
        ClassResult(name=names[i], n=one.n, value=one.value, bound=one.lo, status=s)
        for i, one, s in zip(chosen, found, single, strict=True)
    )
    return result.model_copy(update={"classes": parts})


def _class_status(alone: Status, damaged: bool) -> Status:
    """A class passes by its own interval and fails only by the corrected test; without a sample it decides nothing."""
    return "FAIL" if damaged else "PASS" if alone == "PASS" else "INCONCLUSIVE"


def _damaged(
    rule: Rule, evidence: Evidence, chosen: list[int], margins: list[float | None], confidence: float
) -> list[bool]:
    """Which classes fail: named ones by Holm over score tests at the margin; otherwise the worst class, if its loss is
    more than a sign-flip null gives to the worst of all classes and more than the margin."""
    before, now, labels = evidence.right_reference, evidence.right_candidate, evidence.labels
    lost = [int((before & ~now & (labels == i)).sum()) for i in chosen]
    gained = [int((~before & now & (labels == i)).sum()) for i in chosen]
    counts = [int((labels == i).sum()) for i in chosen]
    known = [k for k, margin in enumerate(margins) if margin is not None and counts[k]]
    damaged = [False] * len(chosen)
    if not known:
        return damaged
    picked = [[values[k] for k in known] for values in (lost, gained, counts)]
    if rule.classes:
        tested = named_classes(*picked, margin=[margins[k] or 0.0 for k in known], confidence=confidence)
        p = tested.p if rule.correction == "holm" else tested.p_alone
        for k, q in zip(known, p.tolist(), strict=True):
            damaged[k] = q <= 1 - confidence
        return damaged
    at, p_worst = worst_class(picked[0], picked[1])
    k = known[at]
    damaged[k] = p_worst <= 1 - confidence and (lost[k] - gained[k]) / counts[k] > (margins[k] or 0.0)
    return damaged


def _class_why(rule: Rule, status: Status, found: Figure) -> str:
    """Why one class stands as it does."""
    if found.value is None:
        return found.missing
    if status == "FAIL":
        how = "Holm over the named classes" if rule.classes else "sign-flip null over all classes"
        return f"lost more than the limit, beyond chance ({how})" if rule.limit == "max_drop" else "below the limit"
    return "inside the limit" if status == "PASS" else "cannot be told from the limit"


def _badness(rule: Rule, found: Figure) -> float:
    """Smaller is worse."""
    return float("-inf") if found.lo is None else found.lo


def _present(evidence: Evidence) -> list[int]:
    """Classes with a sample."""
    return sorted({int(i) for i in set(evidence.labels.tolist())})


def _index(name: str, names: Sequence[str]) -> int:
    """Position of a class. Raises InputError with the nearest name."""
    if name not in names:
        hint = f"{nearest(name, names)}the data has {len(names)} classes"
        raise InputError("a rule names a class that the data does not have", seen=name, hint=hint)
    return list(names).index(name)

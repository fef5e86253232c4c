"""Hold the rules against the evidence: PASS, FAIL, INCONCLUSIVE or NO_VERDICT, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeval.gate.bounds import figure
from edgeval.gate.classes import judged_classes
from edgeval.gate.decide import PRECEDENCE, decide, result
from edgeval.records.evidence import Evidence
from edgeval.records.gate import Rule
from edgeval.records.regression import RegressionEvidence
from edgeval.records.verdict import RuleResult, Status, Verdict

EXIT: dict[Status, int] = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3, "NO_VERDICT": 5}


@dataclass(frozen=True)
class Look:
    """Which look at these data this is, and the share of each rule's level (1 - confidence) that it may spend."""

    number: int = 1
    spends: float = 1.0
    note: str = ""

    def confidence(self, rule: Rule) -> float:
        """One-sided confidence that the rule is judged at in this look."""
        return 1 - (1 - rule.confidence) * self.spends


def judge(
    evidence: Evidence | RegressionEvidence, rules: Sequence[Rule], look: Look, distrust: Sequence[str] = ()
) -> Verdict:
    """The verdict on one comparison. `distrust`: what forbids a verdict whatever the figures say (see `trust`)."""
    results = tuple(_judged(rule, evidence, look) for rule in rules)
    statuses: list[Status] = [result.status for result in results]
    status = worst([*statuses, "NO_VERDICT"] if distrust else statuses)
    reasons = [*distrust, *(f"{result.text}: {result.why}" for result in results if result.status == status)]
    reasons += [look.note] if look.note else []
    return Verdict(status=status, exit_code=EXIT[status], look=look.number, reasons=tuple(reasons), rules=results)


def worst(statuses: Sequence[Status]) -> Status:
    """The status that counts for several: NO_VERDICT, FAIL, INCONCLUSIVE, PASS in this order."""
    return next(status for status in PRECEDENCE if status in statuses)


def _judged(rule: Rule, evidence: Evidence | RegressionEvidence, look: Look) -> RuleResult:
    """One rule."""
    confidence = look.confidence(rule)
    if rule.metric == "class_accuracy" and isinstance(evidence, Evidence):
        return judged_classes(rule, evidence, confidence)
    found = figure(rule, evidence, confidence)
    margin = rule.margin(found.reference)
    status, why = decide(rule, found, margin)
    return result(rule, found, margin, confidence, status=status, why=why)

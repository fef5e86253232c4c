"""A verdict and its rules are worded the same everywhere."""

from __future__ import annotations

import pytest

from edgeval.records.findings import Comparison
from edgeval.records.verdict import RuleResult, Status
from edgeval.report import judged
from tests.report.conftest import RULES, judge


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["PASS", "PASS"], "PASS"),
        (["PASS", "INCONCLUSIVE"], "INCONCLUSIVE"),
        (["FAIL", "INCONCLUSIVE"], "FAIL"),
        (["FAIL", "NO_VERDICT"], "NO_VERDICT"),
        ([], None),
    ],
)
def test_the_worst_counts_for_all(plain_row: Comparison, statuses: list[Status], expected: str | None) -> None:
    assert judged.overall([plain_row, *(judge(plain_row, status) for status in statuses)]) == expected


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (0, "Top-1 accuracy may drop by at most 2.00 pt, measured −6.00 pt, at worst −7.00 pt at 95% confidence"),
        (
            1,
            "ECE, 15 equal-width bins may rise by at most 0.020, measured +0.012, at worst +0.026 at 95% confidence, "
            "about 2,300 more images decide it",
        ),
        (2, "Latency, 95th percentile is at most 20 ms, measured 4.2 ms, at worst 4.9 ms at 95% confidence"),
    ],
)
def test_a_rule_in_one_line(k: int, expected: str) -> None:
    assert judged.full(RULES[k]) == expected


def test_a_rule_on_one_output_names_it() -> None:
    figures = {"margin": 0.1, "value": 0.0625, "bound": 0.0625, "good": 0.0625, "confidence": 0.95}
    rule = RuleResult(metric="max_abs_error", status="PASS", limit="max", output="theta", **figures)
    assert judged.full(rule).startswith("Largest error of theta is at most 0.1, measured 0.0625")


def test_a_rule_that_was_not_measured_says_why() -> None:
    rule = RULES[2].model_copy(update={"value": None, "bound": None, "status": "NO_VERDICT", "why": "no timings"})
    assert judged.full(rule) == "Latency, 95th percentile is at most 20 ms, no timings"


@pytest.mark.parametrize(
    ("rules", "status", "expected"),
    [
        (RULES[2:3] * 2, "PASS", "Both rules hold."),
        (RULES[:1] * 2, "FAIL", "2 of 2 rules are broken: Top-1 accuracy (−6.00 pt)."),
        (RULES[1:2], "INCONCLUSIVE", "1 of 1 rules is still open: ECE; about 2,300 more images decide it."),
        ((), "NO_VERDICT", "the runtime's version is unknown."),
    ],
)
def test_why_in_a_sentence(plain_row: Comparison, rules: tuple, status: Status, expected: str) -> None:
    verdict = judge(plain_row, status, rules=rules).verdict
    assert verdict is not None
    assert judged.summary(verdict) == expected


def test_a_reason_that_a_rule_says_itself_is_not_said_twice(plain_row: Comparison) -> None:
    reasons = (f"{RULES[0].text}: outside", "both sides are imported tables")
    verdict = judge(plain_row, "FAIL", reasons=reasons).verdict
    assert verdict is not None
    assert judged.remarks(verdict) == ["both sides are imported tables"]
    assert judged.remarks(verdict.model_copy(update={"rules": ()})) == list(reasons)

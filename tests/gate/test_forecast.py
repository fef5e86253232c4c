"""Early stopping: agreement with the fixed verdict on all images, in short simulations, and what has no such form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeval.compare.pair import weigh
from edgeval.errors import InputError
from edgeval.gate.forecast import Forecast, Whole, check_rules
from edgeval.gate.judge import Look, judge
from edgeval.records.gate import Rule
from tests.gate.conftest import side

N, CLASSES = 2000, 4


def rule(metric: str, **limits: Any) -> Rule:
    return Rule.model_validate({"metric": metric, **limits})


TOP1 = rule("top1", max_drop="2pt")
LOST = rule("lost_rate", max="6pt")
NAMED = rule("class_accuracy", classes=("k1", "k3"), max_drop="6pt")


def drawn(seed: int, lost: float, gained: float) -> tuple[Whole, np.ndarray]:
    """Labels, correctness of the reference, and of a candidate that loses and gains these shares."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, size=N, p=[lost, gained, 1 - lost - gained])
    before = np.where(kind == 2, rng.random(N) < 0.9, kind == 0)
    now = np.where(kind == 2, before, kind == 1)
    return Whole(rng.permutation(N) % CLASSES, before, tuple(f"k{i}" for i in range(CLASSES))), now


def forecast(whole: Whole, now: np.ndarray, rules: list[Rule], batch: int = 100) -> tuple[str | None, int]:
    """What came out, and after how many images."""
    found = Forecast(rules, whole)
    for start in range(0, N, batch):
        found.add(now[start : start + batch])
        if found.status() is not None:
            break
    return found.status(), found.seen


def fixed(whole: Whole, now: np.ndarray, rules: list[Rule], confidences: list[float]) -> str:
    """The fixed gate on all images, at the confidences that the forecast judges at."""
    one, two = side(whole.right, whole.labels, CLASSES), side(now, whole.labels, CLASSES)
    asked = [each.model_copy(update={"confidence": c}) for each, c in zip(rules, confidences, strict=True)]
    return judge(weigh(one, two), asked, Look()).status


@pytest.mark.parametrize("rules", [[TOP1], [LOST], [NAMED], [TOP1, LOST]], ids=["top1", "lost", "classes", "both"])
@pytest.mark.parametrize(("lost", "gained"), [(0.02, 0.02), (0.04, 0.02), (0.1, 0.02)])
def test_the_forecast_is_the_fixed_verdict(rules: list[Rule], lost: float, gained: float) -> None:
    for seed in range(3):
        whole, now = drawn(seed, lost, gained)
        status, used = forecast(whole, now, rules)
        assert status == fixed(whole, now, rules, Forecast(rules, whole).confidences)
        assert used <= N


def test_clear_cases_end_early_and_a_model_at_the_margin_does_not() -> None:
    used = {
        name: forecast(*drawn(1, *shares), [TOP1])[1]
        for name, shares in {"bad": (0.12, 0.01), "margin": (0.035, 0.015)}.items()
    }
    assert used["bad"] < N / 2 < used["margin"]


def test_rules_are_judged_as_the_fixed_gate_judges_them() -> None:
    whole, _ = drawn(0, 0.02, 0.02)
    assert Forecast([TOP1, NAMED], whole).confidences == [0.95, 0.95]
    assert Forecast([TOP1], whole, spends=0.5).confidences == [pytest.approx(0.975)]


@pytest.mark.parametrize(
    "bad",
    [rule("ece", max=0.1), rule("class_accuracy", max_drop="5pt"), rule("top1", min="80pt"), rule("jaccard", min=0.5)],
    ids=lambda bad: bad.text,
)
def test_rules_without_a_sequential_form(bad: Rule) -> None:
    with pytest.raises(InputError, match="no sequential form"):
        check_rules([TOP1, bad])

"""The chance that an unchanged model passes, for one group of samples and for classes that must all pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeval.gate.plan import foretell, foretell_all
from edgeval.measures.paired import tango_bound, z_value
from edgeval.records.gate import Rule


def rule(metric: str, **limits: Any) -> Rule:
    return Rule.model_validate({"metric": metric, **limits})


def test_all_classes_passing_at_once_is_as_rare_as_in_simulated_runs() -> None:
    asked, sizes = rule("class_accuracy", max_drop="5pt"), [200, 200, 300, 400]
    rng = np.random.default_rng(0)
    inside = np.ones(4000, bool)
    for n in sizes:
        lost, gained, _ = rng.multinomial(n, [0.04, 0.04, 0.92], 4000).T
        inside &= tango_bound(lost, gained, n, z_value(0.95)) >= -0.05
    chance = foretell_all(asked, sizes, 0.08, 0.95)
    assert chance == pytest.approx(inside.mean(), abs=0.03)
    assert chance is not None
    assert chance < (foretell(asked, 200, 0.08, 0.95) or 0)


def test_a_class_without_a_sample_cannot_pass_and_other_rules_have_no_chance() -> None:
    assert foretell_all(rule("class_accuracy", max_drop="5pt"), [1000, 0], 0.05, 0.95) == 0
    assert foretell_all(rule("ece", max=0.1), [1000], 0.05, 0.95) is None
    assert foretell_all(rule("top1", max_drop="2pt"), [773], 0.05, 0.95) == pytest.approx(0.8, abs=0.03)

"""Tests and intervals against scipy, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest, false_discovery_control

from edgeval.measures import paired


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (1, 0), (5, 5), (10, 2), (3, 40), (200, 150)])
def test_exact_mcnemar_is_twice_the_smaller_binomial_tail(lost: int, gained: int) -> None:
    tail = 2 * binom.cdf(min(lost, gained), lost + gained, 0.5) if lost + gained else 1
    assert paired.mcnemar_exact(lost, gained) == pytest.approx(min(1, tail))


@pytest.mark.parametrize(("right", "n"), [(0, 10), (10, 10), (1, 1), (37, 100), (9999, 10000)])
def test_wilson_agrees_with_scipy(right: int, n: int) -> None:
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert paired.wilson(right, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_nothing_is_none() -> None:
    assert paired.wilson(0, 0) is None


def test_benjamini_hochberg_agrees_with_scipy() -> None:
    p = np.random.default_rng(0).random(100) ** 2
    assert paired.benjamini_hochberg(p) == pytest.approx(false_discovery_control(p))


def test_the_smallest_detectable_drop_is_where_plan_says() -> None:
    # 5% discordance and 773 images see a drop of 2 points with 80% power at one-sided 95%
    assert paired.smallest_detectable_drop(30, 9, 773) == pytest.approx(0.02, abs=2e-4)

"""Tests and intervals against scipy, and by hand."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom, binomtest, false_discovery_control, multinomial, norm

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


def test_many_exact_mcnemar_tests_are_those_of_scipy() -> None:
    lost, gained = np.random.default_rng(3).integers(0, 30, (2, 40))
    one_by_one = [binomtest(a, a + b).pvalue if a + b else 1.0 for a, b in zip(lost, gained, strict=True)]
    assert paired.mcnemar_each(lost, gained) == pytest.approx(one_by_one)


@pytest.mark.parametrize(
    ("lost", "gained", "p"), [(7, 1, 0.0391), (6, 16, 0.0347), (0, 0, 1), (4, 4, 1), (3, 0, 0.125)]
)
def test_midp_mcnemar_of_published_tables(lost: int, gained: int, p: float) -> None:
    # Fagerland, Lydersen and Laake 2013: airway reactivity (7 against 1) and complete response (6 against 16)
    assert paired.mcnemar_midp(lost, gained) == pytest.approx(p, abs=5e-5)


def test_tango_of_a_published_table() -> None:
    # Airway reactivity before and after transplantation, 21 children: Fagerland, Lydersen and Laake 2014, table V
    assert paired.tango(7, 1, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)


def score_by_definition(lost: int, gained: int, n: int, delta: float) -> float:
    """The score statistic with its nuisance parameter found by maximising the likelihood numerically."""

    def minus_likelihood(q: float) -> float:
        cells = np.array([q, q + delta, 1 - 2 * q - delta])
        return -float(np.array([lost, gained, n - lost - gained]) @ np.log(np.maximum(cells, 1e-300)))

    q = minimize_scalar(minus_likelihood, bounds=(max(0, -delta), (1 - delta) / 2), options={"xatol": 1e-12}).x
    return float((gained - lost - n * delta) / sqrt(n * (2 * q + delta * (1 - delta))))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n))))
def test_tangos_interval_inverts_the_score_test(drawn: tuple[int, int, int]) -> None:
    n, a, b = drawn
    lost, gained = a, min(b, n - a)
    low, high = paired.tango(lost, gained, n, 0.9)
    assert -1 <= low <= (gained - lost) / n <= high <= 1
    assert paired.tango(gained, lost, n, 0.9) == (-high, -low)
    if low > -1 and lost:
        assert score_by_definition(lost, gained, n, low) == pytest.approx(norm.ppf(0.95), abs=2e-4)
        assert paired.tango_p(lost, gained, n, low, "greater") == pytest.approx(0.05, abs=1e-9)


@pytest.mark.parametrize(
    ("lost", "gained", "n", "low", "high"),
    [(0, 0, 1, -0.7935, 0.7935), (0, 0, 10, -0.2775, 0.2775), (1, 0, 1, -1, 0.5869), (7, 0, 7, -1, -0.2913)],
)
def test_tango_at_its_edges(lost: int, gained: int, n: int, low: float, high: float) -> None:
    # By hand: without discordant pairs n delta / sqrt(n delta (1 - delta)) = z, so delta = z^2 / (n + z^2)
    assert paired.tango(lost, gained, n) == pytest.approx((low, high), abs=5e-5)


def test_tangos_interval_covers_what_it_says() -> None:
    cells = np.array([0.04, 0.03, 0.93])
    lost, gained = (grid.ravel() for grid in np.meshgrid(np.arange(31), np.arange(31)))
    chance = multinomial.pmf(np.stack([lost, gained, 300 - lost - gained], axis=1), 300, cells)
    z = norm.ppf(0.975)
    inside = paired.tango_bound(lost, gained, 300, z) <= -0.01
    inside &= -paired.tango_bound(gained, lost, 300, z) >= -0.01
    assert 0.94 < chance[inside].sum() < 0.96


@pytest.mark.parametrize(("right", "n"), [(0, 10), (10, 10), (1, 1), (37, 100)])
def test_clopper_pearson_agrees_with_scipy(right: int, n: int) -> None:
    expected = binomtest(right, n).proportion_ci(method="exact")
    assert paired.clopper_pearson(right, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_holm_by_hand() -> None:
    assert paired.holm([0.04, 0.01, 0.03, 0.5]) == pytest.approx([0.09, 0.04, 0.09, 0.5])


def test_images_needed_by_hand() -> None:
    assert paired.images_needed(0.02, 0.05) == 773  # (1.6449 + 0.8416)^2 x 0.05 / 0.02^2
    assert paired.images_needed_share(0.02, 0.0) == 133  # 1.6449^2 x 0.98 / 0.02
    with pytest.raises(ValueError, match="no number of images"):
        paired.images_needed(0.02, 0.05, drop=0.02)
    with pytest.raises(ValueError, match="no number of images"):
        paired.images_needed_share(0.02, 0.02)


@pytest.mark.parametrize(
    ("n", "margin", "discordance", "drop"), [(773, 0.02, 0.05, 0), (60, 0.1, 0.2, 0.05), (5, 0.9, 0, 0)]
)
def test_the_chance_to_pass_is_that_of_simulated_runs(n: int, margin: float, discordance: float, drop: float) -> None:
    cells = [(discordance + drop) / 2, (discordance - drop) / 2, 1 - discordance]
    lost, gained, _ = np.random.default_rng(0).multinomial(n, cells, 20_000).T
    passed = paired.tango_bound(lost, gained, n, norm.ppf(0.95)) >= -margin
    assert paired.pass_chance(n, margin, discordance, drop=drop) == pytest.approx(passed.mean(), abs=0.015)


def test_the_chance_to_pass_at_the_margin_is_the_level() -> None:
    chances = [paired.pass_chance(n, 0.02, d, drop=0.02) for n in (1000, 5000) for d in (0.03, 0.06, 0.12)]
    assert max(chances) <= 0.0505
    assert min(chances) > 0.04
    assert max(paired.pass_chance_share(n, 0.02, 0.02) for n in range(100, 3000, 37)) <= 0.05
    assert paired.pass_chance_share(3000, 0.02, 0.01) > 0.99
    assert paired.pass_chance_share(10, 0.02, 0.0) == 0


def test_fewer_lost_among_as_many_discordant_pairs_never_turns_pass_away() -> None:
    lost = np.arange(41)
    for both in range(41):
        passes = paired.tango_z(lost[: both + 1], both - lost[: both + 1], 40, -0.1) >= 1.645
        assert (np.diff(passes.astype(int)) <= 0).all()


def test_the_exact_test_of_a_share_against_a_limit() -> None:
    for right, n, limit in ((3, 10, 0.5), (0, 5, 0.1), (5, 5, 0.9), (80, 100, 0.9)):
        assert paired.below_p(right, n, limit) == pytest.approx(binomtest(right, n, limit, alternative="less").pvalue)

"""Power laws against the published figures of both ladders, known laws and independent fits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress

from edgeval.measures.powerlaw import aicc, fit_power, forms, local_exponents, over_seeds

# arXiv 2603.07365: parameters and seed-mean errors (%) by width, as published.
SCALECNN = (
    [21_936, 80_348, 175_336, 306_900, 679_756, 1_198_916, 2_676_148, 4_738_596],
    [58.29, 43.27, 37.09, 33.51, 29.95, 28.19, 26.18, 24.68],
    [0.230, 0.197, 0.182, 0.141, 0.107, 0.092, 0.103],
)
MOBILENET = (
    [214_180, 262_596, 366_212, 524_228, 815_780, 1_483_524, 2_351_972, 5_129_252, 8_953_188, 19_803_748],
    [48.09, 44.01, 42.83, 39.48, 36.79, 34.08, 33.00, 30.66, 29.99, 29.85],
    [0.436, 0.082, 0.227, 0.160, 0.128, 0.070, 0.094, 0.040, 0.006],
)
PUBLISHED = [(SCALECNN, 0.1560, 2.549, 0.9654, 0.012), (MOBILENET, 0.1058, 1.625, 0.9140, 0.011)]


@pytest.mark.parametrize(("ladder", "alpha", "c", "r2", "se"), PUBLISHED, ids=["scalecnn", "mobilenetv2"])
def test_the_published_laws_come_out(
    ladder: tuple[list[int], list[float], list[float]], alpha: float, c: float, r2: float, se: float
) -> None:
    sizes, errors = np.array(ladder[0], float), np.array(ladder[1]) / 100
    law = fit_power(sizes, errors)
    assert (law.alpha, law.r2) == pytest.approx((alpha, r2), abs=5e-5)
    assert law.c == pytest.approx(c, abs=1.5e-3)
    assert law.se == pytest.approx(se, abs=6e-4)
    assert local_exponents(sizes, errors).tolist() == pytest.approx(ladder[2], abs=1.1e-3)


@pytest.mark.parametrize(("ladder"), [SCALECNN, MOBILENET], ids=["scalecnn", "mobilenetv2"])
def test_the_interval_is_that_of_scipys_regression(ladder: tuple[list[int], list[float], list[float]]) -> None:
    sizes, errors = np.array(ladder[0], float), np.array(ladder[1]) / 100
    law, plain = fit_power(sizes, errors), linregress(np.log10(sizes), np.log10(errors))
    assert (law.alpha, law.se) == pytest.approx((-plain.slope, plain.stderr))
    assert law.ci95[0] < law.alpha < law.ci95[1]


def test_a_bend_is_found_where_it_was_published() -> None:
    found = {form.name: form for form in forms(np.array(MOBILENET[0], float), np.array(MOBILENET[1]) / 100)}
    broken = found["broken"].parameters
    assert broken["alpha"] == pytest.approx(0.188, abs=2e-3)
    assert broken["alpha_after"] == pytest.approx(0.055, abs=2e-3)
    assert broken["break"] == pytest.approx(1.15e6, rel=0.05)
    assert found["broken"].aicc < found["power"].aicc  # type: ignore[operator]


@settings(max_examples=30, deadline=None)
@given(alpha=st.floats(0.02, 1.5), c=st.floats(0.1, 10), n=st.integers(4, 12))
def test_an_exact_law_comes_back(alpha: float, c: float, n: int) -> None:
    sizes = np.geomspace(1e3, 1e7, n)
    law = fit_power(sizes, c * sizes**-alpha)
    assert (law.alpha, law.c) == pytest.approx((alpha, c), rel=1e-6)
    assert law.at(sizes) == pytest.approx(c * sizes**-alpha)


def test_a_floor_is_found() -> None:
    sizes = np.geomspace(1e2, 1e7, 12)
    noise = np.exp(np.random.default_rng(0).normal(0, 1e-3, 12))
    best = forms(sizes, (0.02 + 3 * sizes**-0.5) * noise)[0]
    assert best.name == "saturating"
    assert best.parameters["floor"] == pytest.approx(0.02, rel=0.02)
    assert best.parameters["alpha"] == pytest.approx(0.5, rel=0.02)


def test_a_straight_law_is_not_bent() -> None:
    sizes = np.geomspace(1e3, 1e7, 10)
    noise = np.exp(np.random.default_rng(1).normal(0, 0.01, 10))
    assert forms(sizes, 2 * sizes**-0.2 * noise)[0].name == "power"


def test_aicc_by_hand() -> None:
    assert aicc(8.0, 8, 3) == pytest.approx(0 + 6 + 24 / 4)
    assert aicc(1.0, 4, 3) is None


def test_seeds_drawn_anew_by_a_plain_loop() -> None:
    rng = np.random.default_rng(5)
    sizes = np.geomspace(1e4, 1e6, 5)
    errors = [2 * n**-0.15 * np.exp(rng.normal(0, 0.01, 5)) for n in sizes]
    spread = over_seeds(sizes, errors)
    assert spread is not None
    alphas = [fit_power(sizes, np.array([rng.choice(e, len(e)).mean() for e in errors])).alpha for _ in range(1500)]
    assert spread.sd == pytest.approx(np.std(alphas), rel=0.1)
    assert spread.ci95 == pytest.approx(np.percentile(alphas, [2.5, 97.5]), abs=3e-4)
    assert over_seeds(sizes, [e[:1] for e in errors]) is None


@pytest.mark.parametrize(("seeds", "covers"), [(2, 0.70), (3, 0.82), (5, 0.88)])
def test_the_spread_over_few_seeds_is_too_narrow_by_as_much_as_the_docs_say(seeds: int, covers: float) -> None:
    rng, worlds, found = np.random.default_rng(1), 400, 0
    sizes, errors = np.array(SCALECNN[0], float), np.array(SCALECNN[1]) / 100
    truth = fit_power(sizes, errors).alpha
    for world in range(worlds):
        spread = over_seeds(sizes, [e + rng.normal(0, 0.003, seeds) for e in errors], resamples=400, seed=world)
        assert spread is not None
        found += spread.ci95[0] <= truth <= spread.ci95[1]
    assert found / worlds == pytest.approx(covers, abs=0.06)

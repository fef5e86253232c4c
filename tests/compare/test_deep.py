"""The study of regressors: laws, int8 floors, what to buy more of, from errors whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from edgeval.compare.deep.floors import crossing, reaching
from edgeval.compare.deep.whole import BAND, analyse
from edgeval.errors import DataError
from edgeval.records.deep_regression import DeepRegression
from edgeval.records.predictions import Source
from edgeval.records.regressors import BASELINE, Regressor, Regressors, no_regressors
from edgeval.records.units import Unit

N, IMAGES, PARAMS = 4000, (125, 250, 500, 1000, 2000, 4000), (250, 500, 1000, 2000)
OUTPUTS = ("theta", "j")
STEP = 0.01
TARGETS = np.random.default_rng(0).random((N, 2))


def regressor(net: str, size: tuple[int, int], seed: int, fmt: str = "torch", **more: object) -> Regressor:
    images, params = size
    source = Source(name=net, format=fmt, origin="desktop", params=params or None, target=None)
    rung = f"w{params}-n{images}"
    kind = {"ladder": net, "net": net, "rung": rung, "width": params, "images": images, "protocol": "two cores"}
    return Regressor.model_validate({**kind, "seed": seed, "source": source, **more})


def study(
    sizes: Sequence[tuple[int, int]], *, seeds: int = 3, beta: float = 1.2, gamma: float = 0.4, step: float = STEP
) -> Regressors:
    """fcn whose MSE is 0.5 D^-beta (M / 1000)^-gamma in theta and four times that in j, and its int8 twin."""
    found = no_regressors("x", TARGETS, OUTPUTS)
    for images, params in sizes:
        for seed in range(seeds):
            rng = np.random.default_rng([images, params, seed])
            mse = 0.5 * images**-beta * (params / 1000) ** -gamma
            answers = TARGETS + rng.standard_normal((N, 2)) * np.sqrt(mse * np.array([1, 4]))
            found = found.having(regressor("fcn", (images, params), seed, rate=1e-3), answers)
            rounded = np.round(answers / step) * step
            line = regressor("fcn", (images, params), seed, "tflite-int8", steps=(step, step))
            found = found.having(line, rounded, answers)
    return found


CROSS = [(n, 1000) for n in IMAGES] + [(4000, p) for p in PARAMS if p != 1000]


@pytest.fixture(scope="module")
def whole() -> DeepRegression:
    found = study(CROSS)
    for images in IMAGES:
        source = {"source": Source(name="mean", format=BASELINE, origin="desktop")}
        mean = np.tile(TARGETS.mean(axis=0), (N, 1))
        found = found.having(regressor("mean predictor", (images, 0), 0, **source), mean)
    return analyse(found, name="deep-regression")


def test_exponents_that_were_put_in_come_out(whole: DeepRegression) -> None:
    trained = {(law.along, law.output): law for law in whole.laws if law.format == "torch"}
    assert set(trained) == {(a, o) for a in ("images", "parameters") for o in OUTPUTS}
    for (along, _), law in trained.items():
        assert law.exponent.value == pytest.approx(1.2 if along == "images" else 0.4, abs=0.04)
        assert law.exponent.over_seeds is not None
        assert (law.falls, law.r2 > 0.98, law.floor) == (True, True, None)
    assert trained["images", "theta"].window == (125, 4000)
    assert trained["parameters", "j"].fixed == "4,000 images"


def test_the_int8_floor_lies_where_rounding_equals_the_error(whole: DeepRegression) -> None:
    floors = {(one.along, one.output): one for one in whole.floors}
    noise = STEP**2 / 12
    for output, factor in (("theta", 1), ("j", 4)):
        floor = floors["images", output]
        stops = (0.5 * factor / noise) ** (1 / 1.2)
        assert floor.grid == pytest.approx(noise)
        assert floor.grid_share == pytest.approx(1, abs=0.05)
        assert floor.whole.value < floor.trained.value
        if stops < 4000:
            assert (floor.side, floor.stops) == ("within", pytest.approx(stops, rel=0.1))
        else:
            assert (floor.side, floor.beyond) == ("after", pytest.approx(stops, rel=0.2))


def test_what_int8_takes_from_an_exponent_is_paired(whole: DeepRegression) -> None:
    """Much narrower than the exponent's own interval, as the networks, their seeds and the images are the same."""
    laws = {(law.along, law.output, law.format): law for law in whole.laws}
    for along, output in (("images", "theta"), ("images", "j"), ("parameters", "theta")):
        trained, deployed = laws[along, output, "torch"], laws[along, output, "tflite-int8"]
        assert trained.change is None
        assert trained.exponent.over_seeds is not None
        assert deployed.change is not None
        assert deployed.change.value == pytest.approx(deployed.exponent.value - trained.exponent.value)
        low, high = deployed.change.ci95
        assert low < deployed.change.value < high < 0
        assert high - low < 0.9 * np.diff(trained.exponent.over_seeds.ci95)[0]
    assert all(law.change is None for law in analyse(study(CROSS, seeds=1), name="x").laws)


def test_the_sizes_at_which_noise_may_equal_the_error(whole: DeepRegression) -> None:
    coarse = [(n, 1000) for n in IMAGES]
    theta, _ = analyse(study(coarse, step=0.03), name="x").floors
    assert theta.stops == pytest.approx((0.5 * 12 / 0.03**2) ** (1 / 1.2), rel=0.1)
    assert theta.undecided is not None
    low, high = theta.undecided
    assert low is not None
    assert high is not None
    assert theta.stops / 1.3 < low < theta.stops < high < theta.stops * 1.3
    assert {one.undecided for one in whole.floors if one.along == "images"} == {None}  # told apart at every size
    assert {one.undecided for one in analyse(study(coarse, seeds=1, step=0.03), name="x").floors} == {None}


@pytest.mark.parametrize(
    ("noise", "found"),
    [
        ([1e-9] * 3, ("after", None)),
        ([1.0] * 3, ("before", None)),
        ([1e-3] * 3, ("within", 1000.0)),
        ([1.0, 1e-3, 1e-3], ("within", 1000.0)),  # only where it stays above counts
    ],
)
def test_where_the_noise_crosses_the_error(noise: list[float], found: tuple[str, float | None]) -> None:
    sizes = np.array([100.0, 500.0, 2000.0])
    side, stops = crossing(sizes, 1 / sizes, np.array(noise))
    assert (side, stops) == (found[0], found[1] and pytest.approx(found[1], rel=1e-6))


def test_an_interval_belongs_to_the_side_on_which_noise_and_error_meet() -> None:
    inner, low, high = (300.0, 600.0), (None, 600.0), (300.0, None)
    assert [reaching("within", ends) for ends in (inner, low, high, None)] == [inner, low, high, None]
    assert [reaching("after", ends) for ends in (inner, low, high)] == [None, None, high]
    assert [reaching("before", ends) for ends in (inner, low, high)] == [None, low, None]


def test_twice_the_images_against_twice_the_parameters(whole: DeepRegression) -> None:
    assert [one.output for one in whole.doublings] == list(OUTPUTS)
    for one in whole.doublings:
        assert one.by_images == pytest.approx(2**-1.2, abs=0.03)
        assert one.by_params == pytest.approx(2**-0.4, abs=0.03)
        assert one.by_images_ci95[0] < one.by_images < one.by_images_ci95[1]
        assert (one.better, one.images, one.params) == ("images", 4000, 1000)


def test_equal_exponents_cannot_be_told_apart_and_steeper_parameters_win() -> None:
    def better(beta: float, gamma: float) -> set[str]:
        return {one.better for one in analyse(study(CROSS, beta=beta, gamma=gamma), name="x").doublings}

    assert better(0.8, 0.8) == {"cannot be told"}
    assert better(0.4, 1.2) == {"parameters"}
    assert analyse(study(CROSS, seeds=1), name="x").doublings == ()


def exact(
    sizes: Sequence[tuple[int, int]], beta: float, gamma: float, spread: Sequence[float] = (0.1,) * 9
) -> Regressors:
    """Three seeds whose ln MSE is a law's, and `spread` of each size below and above it; of no spread one seed."""
    targets = np.linspace(0, 1, 4)[:, None]
    found = no_regressors("x", targets, ("theta",))
    for (images, params), off in zip(sizes, spread, strict=False):
        for seed in range(3 if off else 1):
            log = -beta * np.log(images / 1000) - gamma * np.log(params / 1000) + off * (seed - 1)
            found = found.having(regressor("fcn", (images, params), seed), targets + np.exp(log / 2))
    return found


@pytest.mark.parametrize(("gamma", "better"), [(0.82, "images"), (0.86, "cannot be told"), (1.18, "parameters")])
def test_what_both_laws_share_cancels_in_their_difference(gamma: float, better: str) -> None:
    # weights of -a, 0, a with a = 1 / (2 ln 2): half-width t(4) 0.1 sqrt(2 a^2 / 3) = 0.164, without the shared 0.192
    sizes = [(n, 4000) for n in (1000, 2000, 4000)] + [(4000, p) for p in (1000, 2000)]
    (one,) = analyse(exact(sizes, 1.0, gamma), name="x").doublings
    assert (one.images, one.params, one.better) == (4000, 4000, better)


def test_a_narrow_net_whose_seeds_vary_widens_its_own_law_alone() -> None:
    sizes = [(n, 4000) for n in (1000, 2000, 4000)] + [(4000, p) for p in (1000, 2000)]
    (one,) = analyse(exact(sizes, 1.0, 0.5, (0.01, 0.01, 0.01, 0.3, 0.01)), name="x").doublings
    images, params = (np.ptp(np.log2(found)) / 2 for found in (one.by_images_ci95, one.by_params_ci95))
    assert params == pytest.approx(4.30 * 0.3 / 2 / np.log(2) / 3**0.5, rel=0.01)  # t(2), though lead is 0.5
    assert images == pytest.approx(2.78 * 0.01 / 2 / np.log(2) * (2 / 3) ** 0.5, rel=0.05)  # t(4)
    assert one.better == "cannot be told"


def test_a_size_of_one_seed_takes_the_variance_of_the_others() -> None:
    sizes = [(n, 4000) for n in (1000, 2000, 4000)] + [(4000, p) for p in (1000, 2000)]
    (one,) = analyse(exact(sizes, 1.0, 0.5, (0.1, 0.1, 0.1, 0, 0.1)), name="x").doublings
    # t(8); the single seed lies 0.1 below its law
    assert np.ptp(np.log2(one.by_params_ci95)) / 2 == pytest.approx(
        2.31 * 0.1 / 2 / np.log(2) * (4 / 3) ** 0.5, rel=0.01
    )


def test_laws_that_meet_before_their_last_sizes_say_nothing_of_doubling() -> None:
    sizes = [(n, 1000) for n in (500, 1000, 2000, 4000)] + [(500, p) for p in (2000, 4000)]
    assert len(analyse(exact(sizes, 1.0, 0.5), name="x").doublings) == 0


def test_a_constant_output_has_no_r2_and_a_net_is_shown_at_its_largest_width() -> None:
    found, flat = no_regressors("x", np.ones((4, 1)), ("theta",)), np.ones((4, 1))
    source = {"source": Source(name="mean", format=BASELINE, origin="desktop")}
    found = found.having(regressor("mean predictor", (125, 0), 0, **source), flat + 0.2)
    for params, error in ((500, 0.1), (1000, 0.3)):
        found = found.having(regressor("fcn", (125, params), 0), flat + error)
    told = analyse(found, name="x")
    assert told.rows[0].outputs[0].r2 is None
    assert told.baselines[0].nets == {"fcn": pytest.approx(0.09, rel=1e-3)}
    assert [(check.holds, "w1000-n125, seed 0" in check.seen) for check in told.checks] == [(False, True)]


def test_figures_of_one_size_by_hand() -> None:
    found = study([(125, 1000)], seeds=2)
    row, deployed = analyse(found, name="x").rows
    errors = [found.errors(k)[:, 0] for k in (0, 2)]
    each = [float((e**2).mean()) for e in errors]
    one = row.outputs[0]
    assert one.mse == pytest.approx(np.sqrt(each[0] * each[1]))
    assert one.mse_seeds == pytest.approx(each)
    assert one.r2 == pytest.approx(1 - np.mean(each) / TARGETS[:, 0].var(), rel=1e-3)
    assert one.within == pytest.approx(np.mean([(np.abs(e) <= BAND).mean() for e in errors]))
    assert (one.ratio, one.step, row.rates) == (None, None, (1e-3,))
    assert deployed.outputs[0].step == STEP
    assert deployed.outputs[0].noise == pytest.approx(STEP**2 / 12, rel=0.03)
    assert deployed.outputs[0].left is not None


def test_conditions_and_claims_say_what_was_seen(whole: DeepRegression) -> None:
    assert [check.holds for check in whole.checks] == [True] * 4
    assert "0.0" in whole.checks[3].seen or "%" in whole.checks[3].seen
    assert {claim.standing for claim in whole.claims} == {"different protocol"}
    few = analyse(study([(n, 1000) for n in IMAGES[:5]], seeds=1), name="x")
    assert "2 of 2 laws have too few sizes for AICc to see a bend" in few.claims[3].ours
    flat = analyse(study(CROSS, beta=0.02), name="x")
    assert not all(check.holds for check in flat.checks)


def test_protocols_are_never_mixed_in_one_law() -> None:
    found = study([(n, 1000) for n in IMAGES[:3]])
    other = [m.model_copy(update={"protocol": "longer", "ladder": "other"}) for m in found.models]
    both = Regressors("x", OUTPUTS, TARGETS, (*found.models, *other), np.concatenate([found.offsets, found.offsets]))
    fixed = {law.fixed for law in analyse(both, name="x").laws}
    assert fixed == {"width 1000, two cores", "width 1000, longer"}


def test_baselines_of_sizes_that_no_network_here_has_are_left_out() -> None:
    found, flat = no_regressors("x", np.linspace(0, 1, 4)[:, None], ("theta",)), np.full((4, 1), 0.5)
    source = {"source": Source(name="mean", format=BASELINE, origin="desktop")}
    for images in (125, 250, 500):
        found = found.having(regressor("mean predictor", (images, 0), 0, **source), flat)
    found = found.having(regressor("fcn", (250, 500), 0), flat + 0.1)
    assert [row.images for row in analyse(found, name="x").baselines] == [250]


def test_errors_in_physical_units_are_multiples_of_the_range() -> None:
    found, flat = no_regressors("x", np.linspace(0, 1, 4)[:, None], ("theta",)), np.linspace(0, 1, 4)[:, None]
    found = found.having(regressor("fcn", (250, 500), 0), flat + 0.125)
    assert analyse(found, name="x").rows[0].outputs[0].rmse is None
    for high, rmse in ((2.0, 0.15), (0.8, 0.125)):  # a range of one value was scaled by nothing
        told = analyse(replace(found, units=(Unit(name="degrees", low=0.8, high=high),)), name="x")
        assert told.rows[0].outputs[0].rmse == pytest.approx(rmse)
        assert told.units[0].high == high


def test_without_a_network_there_is_no_study() -> None:
    with pytest.raises(DataError, match="no network"):
        analyse(no_regressors("x", TARGETS, OUTPUTS), name="deep-regression")


def test_an_output_that_never_changes_has_no_r2_and_no_say_in_the_conditions() -> None:
    held = np.stack([TARGETS[:, 0], np.full(N, 0.5)], axis=1)
    source = Source(name="mean", format=BASELINE, origin="desktop")
    found = no_regressors("x", held, OUTPUTS).having(regressor("fcn", (125, 1000), 0), held + 0.01)
    found = found.having(regressor("mean predictor", (125, 0), 0, source=source), np.tile(held.mean(axis=0), (N, 1)))
    told = analyse(found, name="x")
    assert [one.r2 is None for one in told.rows[0].outputs] == [False, True]
    assert [(check.holds, "theta" in check.seen) for check in told.checks] == [(True, True)]


def test_a_network_that_two_ladders_share_counts_once() -> None:
    sizes = [(n, 1000) for n in (500, 1000, 2000)]
    alone = exact(sizes, 1.0, 0.5)
    both, far = alone, np.ones((4, 1))
    for seed in range(3):
        copy = regressor("fcn", (2000, 1000), seed, ladder="again")
        both = both.having(copy, alone.targets + far)
    one, two = (analyse(found, name="x") for found in (alone, both))
    assert (two.rows, two.laws) == (one.rows, one.laws)
    assert [note for note in two.notes if note not in one.notes] == [
        "counted once, as in fcn: w1000-n2000, which again has too with the same protocol and seeds"
    ]

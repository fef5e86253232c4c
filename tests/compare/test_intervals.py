"""Intervals of figures and differences: whatever the input, and as wide as ignorance asks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeval.compare.intervals import alone, between, differences, estimates
from edgeval.compare.side import Facts, Side
from edgeval.measures import accuracy, calibration
from edgeval.records.predictions import Predictions, Source, from_outputs

NAMES = {"gini", "bottom5", "bottom10", "bottom20", "ece", "ece_equal_mass", "nll", "brier"}


def facts(labels: np.ndarray, right: np.ndarray, sure: np.ndarray | None = None, classes: int = 10) -> Facts:
    terms = {} if sure is None else {"nll": -np.log(np.clip(sure, 1e-12, 1)), "brier": 2 * (1 - sure) ** 2}
    return Facts(labels, classes, right, sure, terms)


def random_facts(n: int, seed: int) -> tuple[Facts, Facts]:
    rng = np.random.default_rng(seed)
    labels, sure = rng.integers(0, 10, n), rng.random(n)
    return tuple(facts(labels, rng.random(n) < sure, sure) for _ in range(2))  # type: ignore[return-value]


ODD = {
    "one sample": (np.array([3]), np.array([True]), np.array([0.9])),
    "one sample, sure and wrong": (np.array([3]), np.array([False]), np.array([1.0])),
    "one class": (np.zeros(50, int), np.arange(50) % 3 > 0, np.full(50, 0.7)),
    "all right and sure": (np.arange(50) % 10, np.ones(50, bool), np.ones(50)),
    "all wrong and sure": (np.arange(50) % 10, np.zeros(50, bool), np.ones(50)),
    "all wrong and unsure": (np.arange(3000) % 10, np.zeros(3000, bool), np.zeros(3000)),
    "empty classes": (np.arange(60) % 2 * 7, np.arange(60) % 5 > 0, np.linspace(0, 1, 60)),
    "a class each": (np.arange(10), np.arange(10) > 4, np.linspace(0, 1, 10)),
    "bare classes": (np.arange(60) % 10, np.arange(60) % 4 > 0, None),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_input_gives_finite_ordered_intervals_around_what_could_be(name: str) -> None:
    one = facts(*ODD[name])
    flipped = facts(one.labels, ~one.correct, one.confidences)
    for found in (alone(one, resamples=200), between(one, flipped, resamples=200), between(one, one, resamples=200)):
        assert set(found) == (
            NAMES if one.confidences is not None else NAMES - {"ece", "ece_equal_mass", "nll", "brier"}
        )
        for each in found.values():
            low, high = each.interval()
            assert np.isfinite([low, high, each.estimate, each.bias]).all()
            assert low <= high


def test_no_change_seen_is_not_yet_no_change() -> None:
    one = random_facts(200, 1)[0]
    found = between(one, one, resamples=2000)
    for name in ("gini", "bottom5", "ece", "ece_equal_mass"):
        low, high = found[name].interval()
        assert found[name].estimate == 0
        assert low < 0 < high


def test_a_reference_that_may_be_calibrated_may_have_all_the_bias_of_one() -> None:
    """Two of 15 bins lie 1.9 standard errors from a gap of nought: together with the rest they still may be nought."""
    sure = np.repeat((np.arange(15) + 0.5) / 15, 300)
    right = np.concatenate([np.arange(300) < k for k in _rights(np.where(np.arange(15) % 8 == 3, 1.9, 0.8))])
    labels = np.zeros(4500, dtype=np.int64)
    one, two = facts(labels, right, sure, 1), facts(labels, right, np.minimum(1.0, sure + 0.45), 1)
    found = between(one, two, resamples=400)["ece"]
    gaps = (right - sure).reshape(15, 300)
    sd = np.sqrt((gaps**2).sum(axis=1) - gaps.sum(axis=1) ** 2 / 4500)
    room = found.slack[1] - (found.draws.mean() - found.estimate)
    assert room >= 0.95 * np.sqrt(2 / np.pi) * sd.sum() / 4500


def _rights(z: np.ndarray) -> np.ndarray:
    """Right answers of 300 a bin, so many standard errors above its mean confidence."""
    p = (np.arange(15) + 0.5) / 15
    return np.rint(300 * p + z * np.sqrt(300 * p * (1 - p)))


def test_draws_of_a_change_vary_as_the_change_without_its_bias_does() -> None:
    """Bottom-5, three of 100 classes damaged. Too narrow, and a model at the limit passes in 8% of runs."""
    before = np.linspace(0.5, 0.9, 100)
    now, labels = before - 0.35 * np.isin(np.arange(100), [10, 50, 80]), np.repeat(np.arange(100), 30)
    values, spreads = [], []
    for run in range(80):
        luck = np.random.default_rng(run).random(3000)
        one, two = (facts(labels, luck < chance[labels], None, 100) for chance in (before, now))
        found = between(one, two, seed=run, resamples=200)["bottom5"]
        values.append(found.estimate - found.bias)
        spreads.append(found.draws.std())
    assert np.std(values) <= 1.15 * np.mean(spreads)


def test_estimates_are_the_plain_measures() -> None:
    a, b = random_facts(700, 2)
    single, change = alone(a, resamples=50), between(a, b, resamples=50)
    assert {name: one.estimate for name, one in single.items()} == pytest.approx({n: a.figures[n] for n in NAMES})
    assert {n: c.estimate for n, c in change.items()} == pytest.approx({n: b.figures[n] - a.figures[n] for n in NAMES})
    by_class = accuracy.class_accuracy(a.correct, a.labels, 10)
    assert a.figures["gini"] == pytest.approx(float(accuracy.gini(by_class)))
    assert a.confidences is not None
    assert a.figures["ece_equal_mass"] == calibration.ece_equal_mass(a.confidences, a.correct)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 300), st.integers(0, 1000))
def test_order_of_samples_and_names_of_classes_do_not_matter(n: int, seed: int) -> None:
    one = random_facts(n, seed)[0]
    rng = np.random.default_rng(seed)
    order, names = rng.permutation(n), rng.permutation(10)
    assert one.confidences is not None
    other = facts(names[one.labels[order]], one.correct[order], one.confidences[order])
    assert other.figures == pytest.approx(one.figures)
    first, second = alone(one, resamples=1), alone(other, resamples=1)
    for name in ("gini", "bottom5"):
        assert first[name].centre == pytest.approx(second[name].centre)


def test_ece_starts_at_0_unless_perfect_calibration_is_rejected() -> None:
    rng = np.random.default_rng(0)
    labels, sure = rng.integers(0, 10, 4000), rng.random(4000)
    luck = rng.random(4000)
    good, bad = (alone(facts(labels, luck < p, sure), resamples=500)["ece"] for p in (sure, sure**2))
    assert good.interval()[0] == 0
    assert "not rejected" in good.method
    assert bad.interval()[0] > 0.05
    assert good.estimate > good.interval()[0]


def test_a_side_reads_its_table_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    outputs, labels = rng.normal(size=(200, 8)).astype(np.float32), rng.integers(0, 8, 200)
    source = Source(name="m", format="f")
    table = from_outputs(outputs, labels, kind="logits", class_names=tuple("abcdefgh"), ids=None, source=source)
    whole = Side(table).facts
    monkeypatch.setattr("edgeval.compare.side.BLOCK_CELLS", 100)
    parts = Side(table).facts
    assert table.probabilities is not None
    assert (parts.confidences == table.probabilities.max(axis=1)).all()
    assert parts.terms["brier"] == pytest.approx(calibration.brier_terms(table.probabilities, labels))
    assert all((parts.terms[name] == whole.terms[name]).all() for name in ("top5", "nll", "brier"))


def test_public_doors_take_sides() -> None:
    labels = np.arange(40) % 4
    bare = Predictions(labels, labels, tuple("abcd"), "classes", Source(name="m", format="f"))
    assert (
        set(estimates(Side(bare)))
        == set(differences(Side(bare), Side(bare)))
        == {
            "gini",
            "bottom5",
            "bottom10",
            "bottom20",
        }
    )


def test_changes_of_one_sample_stay_within_what_is_possible() -> None:
    one = Facts(
        np.array([0]), 2, np.array([True]), np.array([0.35]), {"nll": np.array([1.0]), "brier": np.array([0.6])}
    )
    for name, found in between(one, one).items():
        low, high = found.interval()
        most = {"nll": np.inf, "brier": 2.0}.get(name, 1.0)
        assert -most <= low <= high <= most

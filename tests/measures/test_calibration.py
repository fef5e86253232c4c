"""Calibration against scikit-learn on random input, and by hand where references disagree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import foldnorm
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from edgeval.measures import calibration


def independent_ece(confidences: np.ndarray, correct: np.ndarray, bins: int = 15) -> float:
    """ECE from scikit-learn's reliability curve and numpy's histogram."""
    accuracy, confidence = calibration_curve(correct, confidences, n_bins=bins, strategy="uniform")
    shifted = np.histogram(np.nextafter(confidences, 0), bins=np.linspace(0, 1, bins + 1))[0]
    return float((shifted[shifted > 0] * np.abs(accuracy - confidence)).sum() / len(confidences))


@pytest.mark.parametrize("seed", range(20))
def test_ece_agrees_with_scikit_learn_to_1e_9(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(10, rng.uniform(0.05, 2)), size=3000)
    labels = rng.integers(0, 10, 3000)
    confidences, correct = probabilities.max(1), probabilities.argmax(1) == labels
    assert calibration.ece(confidences, correct) == pytest.approx(independent_ece(confidences, correct), abs=1e-9)


@pytest.mark.parametrize(
    ("confidence", "index"),
    [(0.0, 0), (1 / 15, 0), (np.nextafter(1 / 15, 1), 1), (2 / 15, 1), (0.5, 7), (14 / 15, 13), (0.999, 14), (1.0, 14)],
)
def test_bins_are_open_below_and_closed_above(confidence: float, index: int) -> None:
    assert calibration.bin_index(np.array([confidence])).tolist() == [index]


@pytest.mark.parametrize(
    ("confidences", "correct", "expected"),
    [
        ([1.0, 1.0], [True, True], 0.0),
        ([1.0, 1.0], [False, False], 1.0),
        ([0.0], [True], 1.0),
        ([0.7], [True], 0.3),
        ([0.9, 0.9, 0.2, 0.2], [True, False, False, True], 0.5 * 0.4 + 0.5 * 0.3),
    ],
)
def test_ece_by_hand(confidences: list[float], correct: list[bool], expected: float) -> None:
    for measure in (calibration.ece, calibration.ece_equal_mass):
        if len(confidences) < 4 or measure is calibration.ece:
            assert measure(np.array(confidences), np.array(correct)) == pytest.approx(expected)


def test_equal_mass_bins_hold_equal_counts() -> None:
    rng = np.random.default_rng(3)
    confidences = rng.random(1500) ** 3
    correct = rng.random(1500) < confidences
    order = np.argsort(confidences)
    parts = zip(np.split(confidences[order], 15), np.split(correct[order], 15), strict=True)
    expected = np.mean([abs(hits.mean() - sure.mean()) for sure, hits in parts])
    assert calibration.ece_equal_mass(confidences, correct) == pytest.approx(expected)


@given(st.integers(1, 200), st.integers(0, 10_000))
def test_ece_lies_between_0_and_1_and_ignores_order(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidences, correct = rng.random(n), rng.random(n) < 0.5
    shuffled = rng.permutation(n)
    value = calibration.ece(confidences, correct)
    assert 0 <= value <= 1
    assert calibration.ece(confidences[shuffled], correct[shuffled]) == pytest.approx(value)


def test_nll_and_brier_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    probabilities, labels = rng.dirichlet(np.ones(6), size=800), rng.integers(0, 6, 800)
    terms, clipped = calibration.nll_terms(probabilities, labels)
    assert terms.mean() == pytest.approx(log_loss(labels, probabilities, labels=range(6)))
    assert clipped == 0
    expected = brier_score_loss(labels, probabilities, labels=range(6), scale_by_half=False)
    assert calibration.brier_terms(probabilities, labels).mean() == pytest.approx(expected)


def test_nll_clips_at_1e_12_and_counts() -> None:
    terms, clipped = calibration.nll_terms(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([1, 1]))
    assert terms.tolist() == pytest.approx([-np.log(1e-12), np.log(2)])
    assert clipped == 1


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (0.3, 2.0), (-1.0, 0.5), (9.0, 1.0), (0.4, 0.0)])
def test_the_excess_of_an_absolute_normal_is_that_of_a_folded_one(mean: float, sd: float) -> None:
    expected = foldnorm(abs(mean) / sd, scale=sd).mean() - abs(mean) if sd else 0.0
    assert float(calibration.excess(np.array(mean), np.array(sd))) == pytest.approx(expected, abs=1e-12)


def test_consistency_agrees_with_drawing_every_label() -> None:
    rng = np.random.default_rng(0)
    sure = rng.beta(4, 1, 900)
    correct, index = rng.random(900) < sure**1.05, calibration.bin_index(sure)
    null = [calibration.ece(sure, rng.random(900) < sure) for _ in range(1500)]
    expected = np.mean(np.array(null) >= calibration.ece(sure, correct))
    found = calibration.consistency(sure, correct, index)
    assert found == pytest.approx(expected, abs=4.5 * np.sqrt(0.25 / 1500 + 0.25 / 2000))


def test_perfect_calibration_is_rejected_at_most_as_often_as_the_level() -> None:
    rng, p = np.random.default_rng(1), []
    for _ in range(300):
        sure = rng.random(400)
        p.append(calibration.consistency(sure, rng.random(400) < sure, calibration.bin_index(sure), resamples=200))
    assert np.mean(np.array(p) <= 0.05) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.parametrize(
    ("sure", "correct", "rejected"),
    [(1.0, True, False), (1.0, False, True), (0.0, False, False), (0.0, True, True), (0.5, True, True)],
)
def test_consistency_of_constant_confidences(sure: float, correct: bool, rejected: bool) -> None:
    confidences, answers = np.full(30, sure), np.full(30, correct)
    found = calibration.consistency(confidences, answers, calibration.mass_index(confidences))
    assert (found < 0.01) == rejected

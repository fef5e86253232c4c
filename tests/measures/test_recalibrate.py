"""Temperature against another optimiser; thresholds against every threshold tried."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss

from edgeval.measures import recalibrate

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(1000, 8)) * 2
LABELS = (LOGITS + RNG.gumbel(size=LOGITS.shape)).argmax(axis=1)


def brent(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the lowest NLL, by another way."""

    def loss(log_t: float) -> float:
        return -float(log_softmax(logits / np.exp(log_t), axis=1)[np.arange(len(labels)), labels].mean())

    return float(np.exp(minimize_scalar(loss, bounds=np.log([0.01, 100]), options={"xatol": 1e-9}).x))


@pytest.mark.parametrize(
    "logits",
    [
        LOGITS,
        LOGITS * 0.1,
        LOGITS * 9,
        log_softmax(LOGITS, axis=1),
        np.round(LOGITS * 4).astype(np.int8),
        LOGITS[:, ::-1],
    ],
    ids=["honest", "timid", "bold", "log-probabilities", "int8 ties", "wrong"],
)
def test_temperature_agrees_with_another_optimiser(logits: np.ndarray) -> None:
    assert recalibrate.temperature(logits, LABELS) == pytest.approx(brent(logits, LABELS), rel=2e-5)


@pytest.mark.parametrize(
    ("logits", "labels", "expected"),
    [
        (LOGITS, LOGITS.argmax(axis=1), 0.01),
        (LOGITS * 1e4, LOGITS.argmax(axis=1), 0.01),
        (LOGITS, LOGITS.argmin(axis=1), 100),
        (np.ones((5, 3)), np.array([0, 1, 2, 0, 1]), 1),
        (np.array([[0.0, 1.0]]), np.array([1]), 0.01),
        (np.array([[2.0], [3.0]]), np.array([0, 0]), 1),
    ],
    ids=["all right", "all right and certain", "all wrong", "constant", "one sample", "one class"],
)
def test_temperature_at_its_bounds(logits: np.ndarray, labels: np.ndarray, expected: float) -> None:
    assert recalibrate.temperature(logits, labels) == expected


def test_a_probability_of_nought_is_a_very_low_one_and_nan_is_refused() -> None:
    logits = np.array([[0.0, -np.inf], [0.0, -np.inf], [0.0, -1.0]])
    finite = np.where(np.isinf(logits), np.log(1e-12), logits)
    labels = np.array([0, 1, 0])
    assert recalibrate.temperature(logits, labels) == pytest.approx(recalibrate.temperature(finite, labels))
    with pytest.raises(ValueError, match="NaN"):
        recalibrate.temperature(np.array([[0.0, np.nan]]), np.array([0]))


def test_few_wrong_labels_with_a_tiny_gap_do_not_stall() -> None:
    logits = np.abs(RNG.normal(size=(300, 10))) * 100
    labels = logits.argmax(axis=1)
    logits[0, labels[0]] = np.sort(logits[0])[-2] - 1e-3
    assert recalibrate.temperature(logits, labels) == pytest.approx(brent(logits, labels), rel=1e-4)


def test_nll_and_confidences_agree_with_scikit_learn_and_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalibrate, "BLOCK_CELLS", 100)  # so that there are many blocks
    assert recalibrate.nll(LOGITS, LABELS, 2.0) == pytest.approx(log_loss(LABELS, softmax(LOGITS / 2, axis=1)))
    assert recalibrate.confidences(LOGITS, 2.0) == pytest.approx(softmax(LOGITS / 2, axis=1).max(axis=1))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_the_threshold_reaches_the_nearest_share(one: list[int], two: list[int]) -> None:
    size = min(len(one), len(two))
    reference, candidate = np.array(one[:size]) / 6, np.array(two[:size]) / 6
    found = recalibrate.operating_point(reference, reference > 0.6, candidate, candidate > 0.4)
    wanted, accepted = int((reference >= 0.5).sum()), int((candidate >= found.threshold).sum())
    tried = {int((candidate >= t).sum()) for t in [*candidate, 2.0]}
    assert abs(accepted - wanted) == min(abs(count - wanted) for count in tried)
    assert found.accepted == accepted / size
    assert accepted == min(count for count in tried if abs(count - wanted) == abs(accepted - wanted))


def test_accuracies_at_the_operating_point_by_hand() -> None:
    right, wrong = np.array([True, True, False, False]), np.array([True, False, False, True])
    found = recalibrate.operating_point(
        np.array([0.9, 0.8, 0.4, 0.3]), right, np.array([0.7, 0.4, 0.3, 0.2]), wrong, threshold=0.5
    )
    assert (found.threshold, found.accepted, found.accuracy, found.accuracy_reference) == (0.4, 0.5, 0.5, 1.0)
    assert (found.accepted_unchanged, found.accuracy_unchanged) == (0.25, 1.0)


def test_nothing_accepted_has_no_accuracy() -> None:
    found = recalibrate.operating_point(np.zeros(3), np.ones(3, bool), np.ones(3), np.ones(3, bool), threshold=0.5)
    assert (found.accepted, found.accuracy, found.accuracy_reference, found.accepted_unchanged) == (0, None, None, 1)

"""Class accuracy, Gini and bottom-k: hand-computed, and against the paper's own table."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import recall_score, top_k_accuracy_score

from edgeval.measures import accuracy

SHARED = Path(os.environ.get("EDGEVAL_SHARED", Path(__file__).parents[3] / "shared"))
TABLE = SHARED / "data" / "paper1_per_class_permille.csv"
# Gini, bottom-5, bottom-10, bottom-20 in percent, of arXiv 2603.07365's public result files (CC-BY 4.0)
PAPER = {
    "cnn 4": (0.2569, 10.16, 12.56, 17.07),
    "cnn 8": (0.1705, 22.64, 26.44, 32.11),
    "cnn 12": (0.1365, 32.64, 36.40, 40.79),
    "cnn 16": (0.1197, 39.44, 42.00, 45.99),
    "cnn 24": (0.1035, 45.60, 47.60, 51.03),
    "cnn 32": (0.0948, 47.04, 49.88, 54.11),
    "cnn 48": (0.0902, 50.12, 52.52, 56.42),
    "cnn 64": (0.0868, 52.56, 54.60, 58.32),
    "mob 0.10": (0.1887, 17.68, 22.70, 27.81),
    "mob 0.15": (0.1710, 24.32, 27.76, 32.26),
    "mob 0.25": (0.1639, 25.12, 28.66, 33.12),
    "mob 0.35": (0.1533, 29.60, 32.34, 36.37),
    "mob 0.50": (0.1398, 32.84, 35.78, 40.14),
    "mob 0.75": (0.1268, 37.00, 40.10, 44.13),
    "mob 1.00": (0.1197, 39.56, 42.48, 46.02),
    "mob 1.50": (0.1103, 43.88, 45.60, 49.50),
    "mob 2.00": (0.1074, 44.40, 46.48, 50.25),
    "mob 3.00": (0.1054, 45.32, 47.72, 50.78),
}


@pytest.mark.skipif(not TABLE.exists(), reason="the paper's per-class table is not at hand (set EDGEVAL_SHARED)")
@pytest.mark.parametrize("rung", PAPER)
def test_the_papers_class_table_gives_back_gini_and_bottom_k(rung: str) -> None:
    with TABLE.open(newline="") as file:
        rows = {f"{row['arch']} {row['size_param']}": row for row in csv.DictReader(file)}
    row = next(row for name, row in rows.items() if _same_rung(name, rung))
    x = np.array([float(row[f"class{i}"]) for i in range(100)]) / 1000
    gini, *bottoms = PAPER[rung]
    assert accuracy.gini(x) == pytest.approx(gini, abs=5e-5 + 1e-12)
    assert [100 * accuracy.bottom(x, k) for k in (5, 10, 20)] == pytest.approx(bottoms, abs=0.0051)


def _same_rung(one: str, two: str) -> bool:
    (arch, width), (other, size) = one.split(), two.split()
    return arch == other and float(width) == float(size)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([0.5] * 4, 0.0),
        ([0, 0, 0, 1], 0.75),
        ([0.0, 0.0], 0.0),
        ([1.0], 0.0),
        ([0.2, 0.4], 1 / 6),
        ([1, 2, 3, 4], 0.25),
    ],
)
def test_gini_by_hand(x: list[float], expected: float) -> None:
    assert accuracy.gini(np.array(x, dtype=float)) == pytest.approx(expected)


@given(arrays(float, st.integers(1, 30), elements=st.floats(0, 1)))
def test_gini_is_half_the_relative_mean_absolute_difference(x: np.ndarray) -> None:
    if x.sum() > 1e-6:
        pairs = np.abs(x[:, None] - x[None, :]).mean()
        assert accuracy.gini(x) == pytest.approx(pairs / (2 * x.mean()), abs=1e-9)
    assert accuracy.gini(x) == pytest.approx(float(accuracy.gini(x[::-1])), abs=1e-12)


@pytest.mark.parametrize(("k", "expected"), [(1, 0.1), (2, 0.15), (3, 0.3), (99, 0.3)])
def test_bottom_k_by_hand(k: int, expected: float) -> None:
    assert accuracy.bottom(np.array([0.6, 0.1, 0.2]), k) == pytest.approx(expected)


def test_class_accuracy_is_recall_and_nan_for_an_empty_class() -> None:
    rng = np.random.default_rng(1)
    labels, answers = rng.integers(0, 7, 500), rng.integers(0, 7, 500)
    found = accuracy.class_accuracy(labels == answers, labels, 8)
    assert found[:7] == pytest.approx(recall_score(labels, answers, average=None, labels=range(7)))
    assert np.isnan(found[7])


def test_top_k_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    outputs, labels = rng.normal(size=(400, 12)), rng.integers(0, 12, 400)
    for k in (1, 5, 11):
        expected = top_k_accuracy_score(labels, outputs, k=k, labels=range(12))
        assert accuracy.in_top_k(outputs, labels, k).mean() == pytest.approx(expected)


def test_ties_go_to_the_lower_index() -> None:
    outputs = np.array([[5, 5, 1], [5, 5, 1]], dtype=np.int8)
    assert accuracy.in_top_k(outputs, np.array([0, 1]), 1).tolist() == [True, False]

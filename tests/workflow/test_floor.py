"""Floors as they are measured: kernel families of a real runtime within a budget, and trainings by seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeval.records.artifact import Preprocess
from edgeval.records.predictions import Predictions, Source
from edgeval.records.reporter import Silent
from edgeval.store import Store
from edgeval.workflow.artifact import Model
from edgeval.workflow.floor import kernel_floor, retraining_floor
from tests.run.tiny_models import SIDE, make_samples, write_onnx, write_tflite


def model(path: Path) -> Model:
    return Model(path, path.name, path.suffix[1:], Preprocess())


def test_every_pair_of_families_is_run_on_the_subset(tmp_path: Path) -> None:
    path = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3))
    found, why = kernel_floor(model(path), make_samples(40), Store(tmp_path / "runs"), Silent(), budget_s=60)
    assert why == ""
    assert found is not None
    assert [(pair.one, pair.other) for pair in found.pairs] == [
        ("auto", "builtin"),
        ("auto", "reference"),
        ("builtin", "reference"),
    ]
    assert (found.n, found.flips, found.share) == (40, 0, 0.0)  # one float layer: every family agrees


def test_a_card_may_name_the_families(tmp_path: Path) -> None:
    path = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3))
    store, families = Store(tmp_path / "runs"), ("reference", "auto")
    found, _ = kernel_floor(model(path), make_samples(40), store, Silent(), budget_s=60, families=families)
    assert found is not None
    assert [(pair.one, pair.other) for pair in found.pairs] == [("auto", "reference")]
    assert found.note.startswith("kernel families of litert")


@pytest.mark.parametrize(
    ("suffix", "budget", "said"), [("onnx", 60, "one kernel family"), ("tflite", 0, "--floor-budget 0")]
)
def test_where_there_is_none_it_says_why(tmp_path: Path, suffix: str, budget: float, said: str) -> None:
    write = write_onnx if suffix == "onnx" else write_tflite
    path = write(tmp_path / f"m.{suffix}", (1, SIDE, SIDE, 3))
    found, why = kernel_floor(model(path), make_samples(), Store(tmp_path / "runs"), Silent(), budget_s=budget)
    assert found is None
    assert said in why


def test_a_budget_that_is_too_small_for_the_slowest_family(tmp_path: Path) -> None:
    path = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3))
    found, why = kernel_floor(model(path), make_samples(), Store(tmp_path / "runs"), Silent(), budget_s=1e-6)
    assert found is None
    assert "too slow" in why


def test_trainings_of_one_width_are_compared_by_seed() -> None:
    labels = np.array([0, 1, 2, 0])
    first = Predictions(labels, labels.copy(), tuple("abc"), "classes", Source(name="m", format="torch"))
    second = replace(first, classes=np.array([1, 1, 2, 0]))
    found = retraining_floor({3: second, 0: first})
    assert found is not None
    assert (found.pairs[0].one, found.pairs[0].other, found.flips) == ("seed 0", "seed 3", 1)
    assert retraining_floor({0: first}) is None

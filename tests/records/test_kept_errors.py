"""The kept errors of a study of regressors: what goes in comes out, and what no study wrote is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.errors import DataError, IntegrityError
from edgeval.records.predictions import Source
from edgeval.records.regressors import Regressor, Regressors, encode_regressors, no_regressors, read_regressors
from edgeval.records.units import Unit

TARGETS = np.random.default_rng(0).random((50, 2))


def line(fmt: str = "torch", seed: int = 0, sha: str = "a") -> Regressor:
    source = Source(name="fcn", format=fmt, origin="desktop", params=10, sha256=sha)
    kind: dict[str, Any] = {"ladder": "l", "net": "fcn", "rung": "w4-n50", "width": 4, "images": 50}
    return Regressor(**kind, seed=seed, protocol="p", source=source)


@pytest.fixture
def found() -> Regressors:
    answers = TARGETS + 0.01
    kept = no_regressors("sha", TARGETS, ("theta", "j")).having(line(), answers)
    return kept.having(line("tflite-fp32"), answers + 3e-7, answers).having(
        line("tflite-int8"), answers + 0.004, answers
    )


def test_errors_and_moves_come_out_of_the_file(found: Regressors, tmp_path: Path) -> None:
    path = tmp_path / "errors.npz"
    path.write_bytes(encode_regressors(found))
    again = read_regressors(path)
    assert again.models == found.models
    assert again.errors(0) == pytest.approx(0.01, rel=1e-3)
    assert again.errors(2) == pytest.approx(0.014, rel=1e-3)
    moved = again.moved(1)
    assert moved is not None
    assert moved == pytest.approx(3e-7, rel=0.1)  # small moves keep their digits
    assert again.moved(0) is None


def test_units_come_out_of_the_file_and_an_older_file_has_none(found: Regressors, tmp_path: Path) -> None:
    path, units = tmp_path / "errors.npz", (Unit(name="degrees", low=0.8, high=2.0), Unit(name="meV", low=1, high=3))
    path.write_bytes(encode_regressors(replace(found, units=units).having(line(seed=1), TARGETS)))
    assert read_regressors(path).units == units
    np.savez(path, **change(found))
    assert read_regressors(path).units == ()


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ([{"name": "meV", "low": 1, "high": 3}], "a unit for each of 2 outputs"),
        ([{"name": "meV", "low": 3, "high": 1}] * 2, "low must not lie above high"),
        ([{"name": "meV", "low": 0, "high": float("nan")}] * 2, "high"),
        ("meV", "header cannot be used"),
    ],
)
def test_units_that_fit_no_output_are_refused(found: Regressors, tmp_path: Path, units: Any, said: str) -> None:
    path = tmp_path / "errors.npz"
    header = json.loads(str(change(found)["header"]))
    np.savez(path, **change(found, header=header | {"units": units}))
    with pytest.raises(DataError, match=said):
        read_regressors(path)


def test_two_bytes_keep_the_error_of_the_best_baseline() -> None:
    targets = np.random.default_rng(0).random((2000, 1))
    answers = targets + np.random.default_rng(1).normal(0, 1.2e-4, (2000, 1))
    kept = no_regressors("sha", targets, ("theta",)).having(line(), answers)
    assert (kept.errors(0) ** 2).mean() == pytest.approx(((answers - targets) ** 2).mean(), rel=1e-4)


def test_a_network_that_was_trained_again_loses_its_deployed_answers(found: Regressors) -> None:
    again = found.having(line(sha="b"), TARGETS)
    assert [m.source.format for m in again.models] == ["torch"]
    with pytest.raises(DataError, match="as trained first"):
        found.having(line("onnx-int8", seed=1), TARGETS, TARGETS)
    with pytest.raises(IntegrityError, match="too far"):
        found.having(line(seed=2), TARGETS + 1e6)


def change(found: Regressors, **arrays: Any) -> dict[str, Any]:
    header = {"schema": "edgeval/regressors/1", "data_sha256": "x", "models": []}
    header["models"] = [m.model_dump(mode="json", by_alias=True) for m in found.models]  # type: ignore[assignment]
    usual = {"header": header, "output_names": np.array(found.output_names)}
    made = {**usual, "targets": found.targets, "offsets": found.offsets, **arrays}
    return {name: np.array(json.dumps(v)) if isinstance(v, dict) else v for name, v in made.items() if v is not None}


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"offsets": None}, "no array 'offsets'|no array offsets|holds no study"),
        ({"header": {"schema": "else", "models": []}}, "not of the schema"),
        ({"header": {"schema": "edgeval/regressors/1", "models": 3}}, "cannot be read"),
        ({"header": {"schema": "edgeval/regressors/1", "data_sha256": "", "models": [{"net": 1}]}}, "cannot be used"),
        ({"header": {"schema": "edgeval/regressors/1", "data_sha256": "", "models": []}}, "shape"),
        ({"offsets": np.full((3, 50, 2), np.nan, np.float16)}, "NaN"),
        ({"offsets": np.zeros((3, 50, 2), np.int64)}, "offsets must be numbers"),
        ({"output_names": np.array(["a", "a"])}, "each output once"),
        ({"targets": np.full((50, 2), np.inf)}, "NaN or infinite"),
    ],
)
def test_what_no_study_wrote_is_refused(found: Regressors, tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    path = tmp_path / "errors.npz"
    np.savez(path, **change(found, **arrays))
    with pytest.raises(DataError, match=said):
        read_regressors(path)


def test_lists_of_models_that_cannot_be_are_refused(found: Regressors, tmp_path: Path) -> None:
    path = tmp_path / "errors.npz"
    for models, said in (
        ((line(), line(), line("tflite-int8")), "twice"),
        ((line("onnx-int8"), line("tflite-fp32"), line("tflite-int8")), "lacks its answers"),
        ((*found.models[:2], found.models[2].model_copy(update={"steps": (0.1,)})), "a step for each of 2"),
        ((line().model_copy(update={"images": 10**400}), *found.models[1:]), "header cannot be used"),
        ((line().model_copy(update={"rate": -1.0}), *found.models[1:]), "header cannot be used"),
        ((line().model_copy(update={"source": Source(name="x", format="torch")}), *found.models[1:]), "params"),
    ):
        path.write_bytes(encode_regressors(Regressors("x", ("a", "b"), TARGETS, models, found.offsets)))
        with pytest.raises(DataError, match=said):
            read_regressors(path)

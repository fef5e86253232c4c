"""The whole chain on real input: what the demo leaves behind, and what a user does next in the same folder."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.records.artifact import ArtifactCard
from edgeval.store import file_sha256
from tests.conftest import Demo, Typed

Type = Callable[[str], Typed]
CHAIN = ["size", "export", "quantisation"]


def rows(done: Typed) -> list[dict[str, Any]]:
    """The comparisons that a command wrote to standard output."""
    code, out, err = done
    assert code == 0, err
    body = json.loads(out)
    return list(body["rows"]) if "rows" in body else [body]


def artifact(demo: Demo, name: str = "tflite-int8.tflite") -> Path:
    return demo.folder / "runs" / "artifacts" / "scalecnn-digits100" / "c4-s0" / name


def test_the_demo_prints_a_report_that_is_there(demo: Demo) -> None:
    path = re.search(r"\S+\.html", demo.output)
    assert path is not None
    page = (demo.folder / path[0]).read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert len(page) < 3_000_000


def test_the_largest_rung_errs_at_most_half_as_often_as_the_smallest(type_there: Type) -> None:
    found = rows(type_there("compare --json -"))
    assert [row["candidate"]["name"][-3:] for row in found] == [":c4", ":c8"]
    smallest = found[0]["metrics"]["top1"]
    assert 0.2 <= 1 - smallest["candidate"] <= 0.75
    assert 1 - smallest["reference"] <= (1 - smallest["candidate"]) / 2


def test_stages_close_and_every_flip_has_a_cause(type_there: Type) -> None:
    for row in rows(type_there("compare --json -")):
        assert [stage["name"] for stage in row["stages"]] == CHAIN
        assert sum(stage["net"] for stage in row["stages"]) == row["flips"]["gained"] - row["flips"]["lost"]
        assert sum(stage["charged_lost"] for stage in row["stages"]) == row["flips"]["lost"]
        assert row["stages"][-1]["top1"] == row["metrics"]["top1"]["candidate"]
        assert row["stages"][1]["lost"] + row["stages"][1]["gained"] <= 2  # float export changes next to nothing
        assert {flip["stage"] for flip in row["flipped"]} <= set(CHAIN)
        assert any("source digits" in note for note in row["notes"])


def test_identical_work_is_not_done_twice(demo: Demo, type_there: Type) -> None:
    tables = {path: path.stat().st_mtime_ns for path in (demo.folder / "runs" / "predictions").glob("*.npz")}
    assert len(tables) >= 4
    rows(type_there("compare --json -"))
    assert {path: path.stat().st_mtime_ns for path in (demo.folder / "runs" / "predictions").glob("*.npz")} == tables


def test_other_kernels_are_a_device_of_their_own(type_there: Type) -> None:
    (row,) = rows(type_there("compare --target desktop-reference --rung c4 --json -"))
    assert [stage["name"] for stage in row["stages"]] == [*CHAIN, "device"]
    assert row["candidate"]["runtime"]["kernels"] == "reference"
    assert row["latency_ms"]["p50"] > 0


def test_an_emulated_target_is_marked_and_carries_no_timings(type_there: Type) -> None:
    (row,) = rows(type_there("compare --target rpi4 --emulate --rung c4 --json -"))
    assert row["candidate"]["origin"] == row["target"]["origin"] == "emulated"
    assert row["target"]["name"] == "rpi4"
    assert row["latency_ms"] is None
    assert row["stages"][-1]["name"] == "device"
    _, out, _ = type_there("compare --target rpi4 --emulate --rung c4")
    assert "emulated" in out
    assert "approximate" in out


def test_onnx_goes_the_same_way(type_there: Type) -> None:
    assert type_there("export scalecnn-digits100 --rung c4 --format onnx-fp32 --format onnx-int8 -q")[0] == 0
    (row,) = rows(type_there("compare --format onnx-int8 --rung c4 --json -"))
    assert row["candidate"]["runtime"]["engine"] == "onnxruntime"
    assert abs(row["metrics"]["top1"]["candidate"] - row["stages"][0]["top1"]) < 0.02


def test_run_names_tables_that_score_reads(type_there: Type) -> None:
    code, out, _ = type_there("run --rung c4 -q")
    assert code == 0
    (path,) = re.findall(r"\S+\.npz", out)
    code, out, _ = type_there(f"score {path} --json -")
    found = json.loads(out)
    assert code == 0
    assert found["n"] == 4000
    assert found["source"]["origin"] == "imported"
    (row,) = rows(type_there("compare --rung c4 --json -"))
    assert found["top1"]["value"] == row["metrics"]["top1"]["candidate"]


def test_a_rung_can_be_a_side_of_any_comparison(type_there: Type) -> None:
    sides = "--reference scalecnn-digits100:c12:torch --candidate scalecnn-digits100:c4:tflite-int8"
    (row,) = rows(type_there(f"compare {sides} --json -"))
    (ladder,) = rows(type_there("compare --rung c4 --json -"))
    assert row["flips"] == ladder["flips"]


def test_the_report_can_be_written_again(demo: Demo, type_there: Type) -> None:
    kept = demo.folder / "runs" / "reports" / "desktop" / "scalecnn-digits100-tflite-int8.html"
    assert type_there("compare")[0] == 0
    first = kept.read_text()
    assert type_there("report runs/comparisons/scalecnn-digits100-tflite-int8-desktop.json -o again.html")[0] == 0
    assert (demo.folder / "again.html").read_text() == first


def test_artifact_cards_say_what_the_files_are(demo: Demo) -> None:
    card = ArtifactCard.model_validate_json(artifact(demo, "tflite-int8.tflite.json").read_bytes())
    assert (card.input.dtype, card.output.dtype) == ("int8", "int8")
    assert card.params == 21_936
    assert card.parity.passed
    assert card.calibration is not None
    assert card.calibration.n == len(card.calibration.ids) == 256
    assert all(name.startswith("train-") for name in card.calibration.ids)
    assert card.sha256 == file_sha256(artifact(demo))


@pytest.mark.parametrize("name", ["tflite-int8.tflite", "tflite-int8.tflite.json", "torch.npz"])
def test_a_file_that_was_changed_stops_the_chain(demo: Demo, type_there: Type, name: str) -> None:
    path = artifact(demo, name)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    try:
        code, _, err = type_there("compare --rung c4")
    finally:
        path.write_bytes(whole)
    assert code == 5, err
    assert name.removesuffix(".json") in err


def test_a_missing_file_names_the_export_command(demo: Demo, type_there: Type) -> None:
    card = artifact(demo, "tflite-int8.tflite.json")
    whole = card.read_bytes()
    card.unlink()
    try:
        code, _, err = type_there("compare --rung c4")
    finally:
        card.write_bytes(whole)
    assert code == 2
    assert "edgeval export scalecnn-digits100 --rung c4 --seed 0 --format tflite-int8" in err


def test_test_images_that_changed_since_export_are_noticed(
    demo: Demo, type_there: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeval.tasks.samples.Samples.sha256", "0" * 64)
    code, _, err = type_there("compare --rung c4")
    assert code == 5
    assert "changed since it was exported" in err


def test_predictions_agree_with_an_independent_interpreter_loop(demo: Demo, type_there: Type) -> None:
    from ai_edge_litert.interpreter import Interpreter

    from edgeval.tasks import task

    source = task("digits100")
    images = source.load("test", Path(), lambda done, total: None).images[:200]
    interpreter = Interpreter(str(artifact(demo)))
    interpreter.allocate_tensors()
    (put,), (get,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero = put["quantization"]
    values = (images.astype(np.float64) * source.scale - source.mean) / source.std
    quantised = np.clip(np.round(values / scale) + zero, -128, 127).astype(np.int8)
    answers = []
    for image in quantised:
        interpreter.set_tensor(put["index"], image[None])
        interpreter.invoke()
        answers.append(int(interpreter.get_tensor(get["index"])[0].argmax()))
    _, out, _ = type_there("run --rung c4 -q")
    kept = np.load(re.findall(r"\S+\.npz", out)[0])
    assert (kept["logits"][:200].argmax(1) == answers).all()

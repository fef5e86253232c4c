"""The target mcu from the demo's folder: run, compare, gate, and what its limits refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Demo, Typed
from tests.old_runtime import reference_answers

pytest.importorskip("tflite_micro", reason="tflite-micro is not installed (extra micro)")
Type = Callable[[str], Typed]
RULES = """
[[gate.rules]]
metric = "arena_kb"
max = "{arena}"

[[gate.rules]]
metric = "flash_kb"
max = "{flash}"
"""
CARD = """schema = "edgeval/device/1"
name = "nano"
kind = "mcu"

[runtime]
engine = "tflm"
accept = ["tflm"]
kernels = "reference"
"""


def one(done: Typed) -> dict[str, Any]:
    code, out, err = done
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_compare_ends_in_a_device_step_with_an_arena_and_no_timings(type_there: Type) -> None:
    row = one(type_there("compare scalecnn-digits100 --target mcu --rung c4 --images 400 --json -"))
    assert [stage["name"] for stage in row["stages"]] == ["size", "export", "quantisation", "device"]
    side = row["candidate"]
    assert (side["origin"], side["fidelity"][:9], side["runtime"]["engine"]) == ("emulated", "bit-exact", "tflm")
    assert (row["latency_ms"], side["peak_memory_mb"]) == (None, None)
    assert side["arena"]["smallest"] == side["arena"]["total"] == side["arena"]["head"] + side["arena"]["tail"]
    assert any("ESP-NN" in note for note in row["notes"])


def test_the_exported_model_has_the_bits_of_the_reference_kernels(demo: Demo, type_there: Type, tmp_path: Path) -> None:
    folder = demo.folder / "runs" / "artifacts" / "scalecnn-digits100" / "c4-s0"
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (80, 32, 32, 3), dtype=np.uint8)
    np.savez(demo.folder / "noise.npz", x=images, y=np.arange(80) % 100, class_names=[f"{i:02}" for i in range(100)])
    model = folder / "tflite-int8.tflite"
    sides = f"--reference {folder / 'tflite-fp32.tflite'} --candidate {model} --data noise.npz --target mcu"
    row = one(type_there(f"compare {sides} --json -"))
    tables = [dict(np.load(path)) for path in (demo.folder / "runs" / "predictions").glob("tflite-int8*.npz")]
    (kept,) = (table["logits"] for table in tables if json.loads(str(table["header"]))["target"] == "mcu")
    taken, given = row["candidate"]["runtime"]["input"], row["candidate"]["runtime"]["output"]
    how = taken["preprocess"]
    real = (images.astype(np.float64) * how["scale"] - how["mean"]) / how["std"]
    prepared = np.clip(np.rint(real / taken["scale"]) + taken["zero_point"], -128, 127).astype(np.int8)
    steps = reference_answers(model, prepared, tmp_path).astype(np.float32) - np.float32(given["zero_point"])
    assert np.array_equal(kept, steps * np.float32(given["scale"]))


@pytest.mark.parametrize(
    ("arena", "flash", "code", "statuses"),
    [
        ("20kb", "100kb", 0, ["PASS", "PASS"]),
        ("20kb", "40kb", 1, ["PASS", "FAIL"]),
        ("1kb", "1mb", 1, ["FAIL", "PASS"]),
    ],
)
def test_the_gate_decides_on_arena_and_flash(
    demo: Demo, type_there: Type, arena: str, flash: str, code: int, statuses: list[str]
) -> None:
    (demo.folder / "g.toml").write_text(RULES.format(arena=arena, flash=flash))
    line = "gate scalecnn-digits100 --target mcu --rung c4 --images 400 --config g.toml --json -"
    got, out, err = type_there(line)
    assert got == code, err
    assert [rule["status"] for rule in json.loads(out)["verdict"]["rules"]] == statuses


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("[limits]\nflash_kb = 40", "does not fit the flash of nano"),
        ("[limits]\nram_kb = 8", "does not fit the RAM of nano"),
        ("[accept]\narena_kb = 8", "larger than nano accepts"),
    ],
)
def test_a_card_with_limits_refuses_what_does_not_fit(demo: Demo, type_there: Type, table: str, words: str) -> None:
    (demo.folder / "nano.toml").write_text(f"{CARD}\n{table}\n")
    code, _, err = type_there("compare scalecnn-digits100 --target nano.toml --rung c4 --images 100")
    assert (code, words in err) == (2, True), err
    (demo.folder / "nano.toml").write_text(CARD)
    assert type_there("compare scalecnn-digits100 --target nano.toml --rung c4 --images 100")[0] == 0
    (demo.folder / "nano.toml").write_text(f"{CARD}\n{table}\n")  # the kept answers do not hide the limit
    code, _, err = type_there("compare scalecnn-digits100 --target nano.toml --rung c4 --images 100")
    assert (code, words in err) == (2, True), err


def test_a_card_can_say_that_its_kernels_are_others(demo: Demo, type_there: Type) -> None:
    said = '[emulate]\ncard = "mcu"\nfidelity = "approximate"\nnote = "this firmware uses ESP-NN"\n'
    (demo.folder / "esp.toml").write_text(CARD + said)
    (demo.folder / "g.toml").write_text(RULES.format(arena="20kb", flash="1mb"))
    code, _, err = type_there("gate scalecnn-digits100 --target esp.toml --rung c4 --images 100 --config g.toml")
    assert code == 5, err

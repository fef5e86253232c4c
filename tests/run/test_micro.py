"""Microcontrollers, told from the file and the card: operators, weights, constants outside, flash, RAM, fidelity."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgeval.errors import ModelError, RuntimeMissing
from edgeval.records.arena import Arena
from edgeval.records.target import Target
from edgeval.run.agent import flatfile
from edgeval.run.micro import FLOATS, check_arena, check_file, fidelity_of
from edgeval.run.operators import MICRO, NAMES
from edgeval.run.probe import pick_engine
from tests.run.tiny_models import make_target, write_tflite

SHAPE = (1, 4, 4, 3)
ARENA = Arena(smallest=55_984, total=55_984, head=49_152, tail=6_832)


def card(**tables: Any) -> Target:
    runtime = make_target(engine="tflm").runtime
    return Target.model_validate({"schema": "edgeval/device/1", "name": "nano", "kind": "mcu", **tables}).changed(
        runtime=runtime
    )


def with_operators(path: Path, *numbers: int, custom: str | None = None) -> Path:
    """A model of one operator after the other, whose tensors mean nothing."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as fb

    tensors = [fb.TensorT(shape=[1, 4], type=9, buffer=0, name=f"t{k}") for k in range(len(numbers) + 1)]
    operators = [fb.OperatorT(opcodeIndex=k, inputs=[k], outputs=[k + 1]) for k in range(len(numbers))]
    graph = fb.SubGraphT(tensors=tensors, inputs=[0], outputs=[len(numbers)], operators=operators)
    codes = [fb.OperatorCodeT(min(n, 127), custom if n == 32 else None, 1, n) for n in numbers]
    model = fb.ModelT(version=3, operatorCodes=codes, subgraphs=[graph], buffers=[fb.BufferT(data=[])])
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def test_every_operator_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    model = with_operators(tmp_path / "m.tflite", 150, 19, 150, 69)
    with pytest.raises(ModelError, match="cannot run it") as caught:
        check_file(model, card())
    assert caught.value.seen == "2 x GELU, 1 x TILE"
    check_file(model, make_target())  # which is no business of other runtimes


def test_a_file_for_the_edge_tpu_is_told_apart(tmp_path: Path) -> None:
    model = with_operators(tmp_path / "m.tflite", 32, custom="edgetpu-custom-op")
    with pytest.raises(ModelError, match="give the file that the Edge TPU compiler took"):
        check_file(model, card())


def test_uint8_weights_are_refused_and_int8_ones_are_not(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"FULLY_CONNECTED with uint8 weights.*quantise to int8"):
        check_file(write_tflite(tmp_path / "m.tflite", SHAPE, dtype="uint8"), card())
    check_file(write_tflite(tmp_path / "m.tflite", SHAPE, dtype="int8"), card())


def test_weights_that_are_unpacked_are_refused(tmp_path: Path) -> None:
    from edgeval.export import flatbuffer

    model = flatbuffer.parse(with_operators(tmp_path / "m.tflite", 6, 9).read_bytes())  # DEQUANTIZE, FULLY_CONNECTED
    check_file(tmp_path / "m.tflite", card())
    model.subgraphs[0].tensors[0].buffer = 1
    model.buffers.append(flatbuffer.schema.BufferT(data=[1, 2, 3, 4]))
    (tmp_path / "m.tflite").write_bytes(flatbuffer.pack(model))
    with pytest.raises(ModelError, match=r"DEQUANTIZE of weights.*tflite-16x8"):
        check_file(tmp_path / "m.tflite", card())


def test_constants_outside_the_flatbuffer_are_refused(tmp_path: Path) -> None:
    from edgeval.export import flatbuffer

    inside = write_tflite(tmp_path / "m.tflite", SHAPE, dtype="int8").read_bytes()
    model = flatbuffer.parse(inside)
    data = bytes(bytearray(model.buffers[1].data))
    place = len(flatbuffer.pack(model)) + 1_000
    model.buffers[1].data, model.buffers[1].offset, model.buffers[1].size = None, place, len(data)
    moved = tmp_path / "moved.tflite"
    moved.write_bytes(flatbuffer.pack(model).ljust(place, b"\0") + data)
    with pytest.raises(ModelError, match=f"outside the flatbuffer.*{len(data)} bytes"):
        check_file(moved, card())
    moved.write_bytes(flatbuffer.settle(moved.read_bytes()))
    check_file(moved, card())


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"limits": {"ram_kb": 50}}, "does not fit the RAM of nano.*56.0 kB of 50 kB: activations 49.2 kB"),
        ({"accept": {"arena_kb": 55.9}}, "larger than nano accepts.*56.0 kB, at most 55.9 kB"),
        ({"limits": {"ram_kb": 56}, "accept": {"arena_kb": 56}}, None),
        ({}, None),
    ],
)
def test_ram_and_accepted_arena(tables: dict[str, Any], words: str | None) -> None:
    if words is None:
        check_arena(ARENA, "m.tflite", card(**tables))
    else:
        with pytest.raises(ModelError, match=words):
            check_arena(ARENA, "m.tflite", card(**tables))


def test_a_file_larger_than_flash_is_refused(tmp_path: Path) -> None:
    model = write_tflite(tmp_path / "m.tflite", (1, 16, 16, 3), dtype="int8")
    size = model.stat().st_size
    check_file(model, card(limits={"flash_kb": size // 1000 + 1}))
    with pytest.raises(ModelError, match=f"does not fit the flash of nano.*of {size // 1000} kB"):
        check_file(model, card(limits={"flash_kb": size // 1000}))


def test_only_integer_models_are_bit_exact(tmp_path: Path) -> None:
    assert fidelity_of(write_tflite(tmp_path / "i.tflite", SHAPE, dtype="int8"), "bit-exact") == "bit-exact"
    assert fidelity_of(write_tflite(tmp_path / "f.tflite", SHAPE), "bit-exact") == FLOATS


def test_without_the_package_the_command_is_said() -> None:
    facts = {"runtimes": {"litert": "2.3.0"}, "numpy": "2.4", "python": "3.11", "pointer_bits": 64}
    with pytest.raises(RuntimeMissing, match=r"pip install 'edgeval-toolkit\[micro\]'"):
        pick_engine(facts, card(), Path("m.tflite"))
    with pytest.raises(ModelError, match=r"runs \.tflite files only"):
        pick_engine(facts | {"runtimes": {"tflm": "0.dev1"}}, card(), Path("m.onnx"))


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\0\0\0\0TFL3", b"\x10\0\0\0TFL3" + b"\xff" * 40])
def test_what_is_no_model_file_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="TFLite file"):
        flatfile.read(data)


def test_damage_never_escapes_as_another_error(tmp_path: Path) -> None:
    import random

    whole, chance = write_tflite(tmp_path / "m.tflite", SHAPE, dtype="int8").read_bytes(), random.Random(0)
    refused = 0
    for _ in range(500):
        hurt = bytearray(whole[: chance.randrange(8, len(whole) + 1)])
        hurt[chance.randrange(8, len(hurt) + 1) - 1] = chance.randrange(256)
        try:
            flatfile.read(bytes(hurt))
        except ValueError:
            refused += 1
    assert refused > 300


TRIED = """
import os, sys
from edgeval.run.agent.tflm import allocate
from edgeval.run.agent.frames import Fault
sys.path.insert(0, sys.argv[1])
from test_micro import with_operators
from pathlib import Path
for number in map(int, sys.argv[3].split(",")):
    data = with_operators(Path(sys.argv[2]), number, custom="none").read_bytes()
    try:
        allocate({"engine": "tflm", "version": ""}, data, 1 << 16)
    except Fault as fault:
        print(number, "has no operator" in str(fault))
"""


def test_the_list_of_operators_is_the_packages_own(tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed (extra micro)")
    from ai_edge_litert import schema_py_generated as fb

    numbers = {name: n for name, n in vars(fb.BuiltinOperator).items() if isinstance(n, int)}
    assert {name: NAMES.index(name) for name in NAMES}.items() <= numbers.items()
    lacking = [n for n, name in enumerate(NAMES) if name not in MICRO]
    words = [sys.executable, "-c", TRIED, str(Path(__file__).parent), str(tmp_path / "m"), ",".join(map(str, lacking))]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == [f"{n} True" for n in lacking]

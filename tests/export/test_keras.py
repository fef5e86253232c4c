"""Keras files and SavedModels: run by TensorFlow, exported by its converter, refused where they hold code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from edgeval.cli.edge import run
from edgeval.errors import RuntimeMissing
from edgeval.export import flatbuffer
from edgeval.records.artifact import ArtifactCard
from edgeval.workflow.data import need
from tests.conftest import Typed

with_tensorflow = pytest.mark.skipif(find_spec("tensorflow") is None, reason="the tensorflow extra is not installed")

# Batch norm on purpose: TensorFlow 2.21's converter leaves its variables uninitialised unless they are frozen first.
MAKE = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
keras.utils.set_random_seed(1)
net = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization(),
    keras.layers.ReLU(), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(8),
    keras.layers.Dense(3, "softmax")])
net.save("net.keras")
net.save("net.h5")
net.export("saved", verbose=False)
coded = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Lambda(lambda x: x / 2), keras.layers.Flatten()])
coded.save("coded.keras")
coded.save("coded.h5")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small Keras models and data."""
    place = tmp_path_factory.mktemp("keras")
    subprocess.run([sys.executable, "-c", MAKE], cwd=place, check=True, capture_output=True)
    x = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), dtype=np.uint8)
    np.savez(place / "test.npz", x=x, y=np.arange(60) % 3)
    np.savez(place / "cal.npz", x=x[:9], y=np.arange(9) % 3)
    return place


@pytest.fixture
def type_in(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[[str], Typed]:
    monkeypatch.chdir(folder)

    def typed(line: str) -> Typed:
        code = run(line.split())
        return code, *capfd.readouterr()

    return typed


@with_tensorflow
def test_exported_files_answer_as_keras_and_tell_their_calibration(
    type_in: Callable[[str], Typed], folder: Path
) -> None:
    code, out, err = type_in("export net.keras --calibrate cal.npz --for coral --format tflite-int8 -q -o made")
    assert code == 0, err
    assert "agrees with the original" in out
    file = folder / "made" / "net-tflite-int8.coral.tflite"
    card = ArtifactCard.model_validate_json(file.with_name(file.name + ".json").read_bytes())
    assert (card.input.dtype, card.output.dtype, card.outputs) == ("int8", "int8", "probs")
    dense = [
        tensors[1]
        for name, _, tensors in flatbuffer.operators(flatbuffer.parse(file.read_bytes()))
        if name == "FULLY_CONNECTED"
    ]
    assert [len(weights.quantization.scale) for weights in dense] == [1, 1]
    sides = f"--reference saved --candidate {file.relative_to(folder)}"
    code, out, err = type_in(f"compare {sides} --data test.npz --floor-budget 0 --json -")
    assert code == 0, err
    assert "tensorflow" in out
    assert "9 of the test images calibrated" in out
    found = json.loads(out)
    found = (found.get("rows") or [found])[0]
    assert found["candidate"]["leaked"] == 9
    assert found["reference"]["leaked"] is None
    assert (found["reference"]["format"], found["reference"]["runtime"]["engine"]) == ("savedmodel", "tensorflow")
    assert abs(found["metrics"]["nll"]["delta"]) < 0.05


@with_tensorflow
@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("compare --reference coded.keras --candidate net.h5 --data test.npz", 5, "Lambda layer, which is not run"),
        ("export coded.h5 --calibrate cal.npz", 5, "Lambda layer, which is not run"),
        ("export net.keras", 2, "--calibrate"),
        ("export net.keras --calibrate cal.npz --format onnx-fp32", 2, "TFLite only"),
        ("export gone.keras --calibrate cal.npz", 2, "no such model file"),
        ("compare --reference gone.h5 --candidate net.h5 --data test.npz", 2, "no such model file"),
        ("compare --reference . --candidate net.h5 --data test.npz", 2, "SavedModel folder"),
    ],
)
def test_bad_input(type_in: Callable[[str], Typed], line: str, code: int, said: str) -> None:
    found, _, err = type_in(line)
    assert (found, said in err) == (code, True), err


def test_without_tensorflow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RuntimeMissing, match=r"pip install 'edgeval-toolkit\[tensorflow\]'"):
        need("tensorflow", "tensorflow")

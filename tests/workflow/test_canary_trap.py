"""Real old runtimes that answer wrongly without a word, and the canary that stops them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.errors import IntegrityError
from edgeval.export import flatbuffer
from edgeval.records.artifact import Preprocess
from edgeval.records.reporter import Silent
from edgeval.records.target import Target
from edgeval.run.host import LocalHost
from edgeval.run.probe import probe
from edgeval.store import Store
from edgeval.tasks.samples import Samples
from edgeval.workflow.artifact import Model
from edgeval.workflow.bench import Bench
from edgeval.workflow.run import run_model
from tests.pythons import environment
from tests.run.tiny_models import weights, write_tflite

CLASSES = 10
OLD_NUMPY = "numpy<2"


def per_channel(path: Path) -> Path:
    """The tiny int8 Dense layer with one scale a row of its weights, as converters of today write it."""
    model = flatbuffer.parse(write_tflite(path, (1, 4, 4, 3), dtype="int8", answers=CLASSES).read_bytes())
    matrix, tensor = weights(48, CLASSES), model.subgraphs[0].tensors[1]
    scales = np.abs(matrix).max(axis=1) / 127
    stored = np.rint(matrix / scales[:, None]).astype(np.int8)
    model.buffers[tensor.buffer].data = np.frombuffer(stored.tobytes(), np.uint8)
    tensor.quantization.scale = scales.astype(np.float32)
    tensor.quantization.zeroPoint = np.zeros(CLASSES, np.int64)
    path.write_bytes(flatbuffer.pack(model))
    return path


def images(n: int = 40) -> Samples:
    pixels = np.random.default_rng(7).integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
    names = tuple("abcdefghij")
    return Samples(pixels, np.arange(n) % CLASSES, tuple(map(str, range(n))), names)


def bench(python: str, folder: Path) -> Bench:
    """This computer under another Python, as if it were a board."""
    target = Target.model_validate(
        {
            "schema": "edgeval/device/1",
            "name": "old",
            "transport": {"type": "ssh", "host": "old"},
            "runtime": {"engine": "tflite-runtime", "accept": ["tflite-runtime"]},
        }
    )
    host = LocalHost(folder, python)
    return Bench(target, host, probe(host), "old", "device")


def answered(model: Path, place: Bench, folder: Path) -> Any:
    asked = Model(model, "tiny", "tflite-int8", Preprocess(scale=1), outputs="logits")
    return run_model(asked, images(), place, Store(folder / "runs"), Silent())[0]


@pytest.fixture(autouse=True)
def _no_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)


@pytest.mark.parametrize(("version", "runtime"), [("3.7", "2.7.0"), ("3.9", "2.9.1")])
def test_constant_answers_of_an_old_runtime_are_caught(tmp_path: Path, version: str, runtime: str) -> None:
    python = environment(version, f"tflite-runtime=={runtime}", OLD_NUMPY)
    with pytest.raises(IntegrityError, match="one and the same answer to 8") as caught:
        answered(per_channel(tmp_path / "m.tflite"), bench(python, tmp_path / "work"), tmp_path)
    assert caught.value.exit_code == 5
    assert f"tflite-runtime {runtime}" in str(caught.value)
    assert "edgeval export --for tflite-runtime" in caught.value.hint


def test_a_file_made_for_the_old_runtime_passes(tmp_path: Path) -> None:
    place = bench(environment("3.7", "tflite-runtime==2.7.0", OLD_NUMPY), tmp_path / "work")
    model = write_tflite(tmp_path / "m.tflite", (1, 4, 4, 3), dtype="int8", answers=CLASSES)
    found = answered(model, place, tmp_path)
    assert found.source.runtime["canary"]["agreement"] == 1.0
    assert found.source.runtime["canary"]["against"].startswith("litert ")
    assert len(list((tmp_path / "runs" / "canary").glob("*.npy"))) == 1


def test_this_computers_own_runtime_needs_none(tmp_path: Path) -> None:
    with LocalHost() as host:
        target = Target.model_validate({"schema": "edgeval/device/1", "name": "here"})
        found = answered(per_channel(tmp_path / "m.tflite"), Bench(target, host, probe(host), "here"), tmp_path)
    assert "canary" not in found.source.runtime
    assert not (tmp_path / "runs" / "canary").exists()


def test_a_damaged_cache_is_made_again(tmp_path: Path) -> None:
    place = bench(environment("3.7", "tflite-runtime==2.7.0", OLD_NUMPY), tmp_path / "work")
    model = write_tflite(tmp_path / "m.tflite", (1, 4, 4, 3), dtype="int8", answers=CLASSES)
    answered(model, place, tmp_path)
    (cached,) = (tmp_path / "runs" / "canary").glob("*.npy")
    cached.write_bytes(cached.read_bytes()[:-9])
    for table in (tmp_path / "runs" / "predictions").glob("*.npz"):
        table.unlink()
    assert answered(model, place, tmp_path).source.runtime["canary"]["agreement"] == 1.0
    assert np.load(cached).shape == (8, CLASSES)

"""Models on a real emulated board: the desktop's answers bit for bit, no timings, and counts that repeat."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeval.emulate.board import Board
from edgeval.records.artifact import Preprocess
from edgeval.records.predictions import Predictions, Source, from_outputs
from edgeval.records.reporter import Silent
from edgeval.records.target import load_target
from edgeval.run.job import Job
from edgeval.store import Store
from edgeval.workflow.artifact import Model
from edgeval.workflow.bench import open_bench
from edgeval.workflow.boards import board_of, release
from edgeval.workflow.clean import clean_device
from edgeval.workflow.run import counted, run_model
from tests.run.tiny_models import make_samples, write_onnx, write_tflite

FILES = [
    ("int8.tflite", lambda path: write_tflite(path, (1, 4, 4, 3), dtype="int8"), 1.0, 0.0),
    ("float.onnx", lambda path: write_onnx(path, (1, 3, 4, 4)), 1 / 255, 1e-5),
]


@pytest.mark.parametrize(("name", "write", "scale", "near"), FILES)
def test_answers_are_those_of_the_desktop(
    board: Board, card: Path, tmp_path: Path, name: str, write: object, scale: float, near: float
) -> None:
    model = Model(write(tmp_path / name), name, name.split(".")[1], Preprocess(scale=scale))  # type: ignore[operator]
    tables = {}
    for target in ("desktop", str(card)):
        with open_bench(target) as bench:
            tables[target], _ = run_model(model, make_samples(30), bench, Store(tmp_path / "runs"), Silent())
    here, there = tables["desktop"], tables[str(card)]
    assert here.outputs is not None
    assert there.outputs is not None
    np.testing.assert_allclose(there.outputs, here.outputs, atol=near, rtol=0)
    source = there.source
    assert (source.origin, source.latency, source.peak_memory_mb) == ("emulated", None, None)
    assert source.host is not None
    assert source.host["machine"] == "aarch64"


def test_two_runs_take_the_same_instructions(board: Board, card: Path, tmp_path: Path) -> None:
    path = write_tflite(tmp_path / "m.tflite", (1, 4, 4, 3), dtype="int8")
    model = Model(path, "m", "tflite", Preprocess(scale=1.0))
    store, place = Store(tmp_path / "runs").open(), tmp_path / "runs" / "table.npz"
    with open_bench(str(card), instructions=True) as bench:
        assert bench.counter is not None
        job = Job(path, make_samples(3), Preprocess(scale=1.0), bench.target)
        first, second = (bench.counter(job, bench.facts, Silent()) for _ in range(2))
        known = replace(bench, counter=lambda *_: first)
        table = counted(model, make_samples(3), answers(), known, (store, place, Silent()))
    counting = board_of(load_target(str(card)), counting=True)
    assert counting.running
    release()  # as at the end of a command: what it started is stopped, what others use is not
    assert (counting.running, board.running is None) == (None, False)
    assert first == second
    assert 1_000 < first < 1_000_000
    assert store.read_table(place).source.instructions == table.source.instructions == first


def answers() -> Predictions:
    """Some table of three answers."""
    source = Source(name="m", format="tflite", origin="emulated")
    names = ("a", "b", "c")
    outputs = np.eye(3, dtype=np.float32)
    return from_outputs(outputs, np.arange(3), kind="logits", class_names=names, ids=names, source=source)


def test_a_running_board_is_cleaned_like_any_other(board: Board, card: Path) -> None:
    with open_bench(str(card)) as bench:
        bench.host.put(b"data", "a.bin")
        before = clean_device(str(card), Silent(), dry=True)
        assert clean_device(str(card), Silent(), dry=False).files == before.files > 0
        assert clean_device(str(card), Silent(), dry=True).files == 0

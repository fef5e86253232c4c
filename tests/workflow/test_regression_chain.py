"""Regression from model files to reports, as a user types it: real ONNX and int8 TFLite nets made on the spot."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeval.cli.edge import run
from tests.run.tiny_models import weights, write_onnx, write_tflite

Typed = Callable[[str], tuple[int, str, str]]
SHAPE = (1, 4, 4, 3)
N = 40
MODELS = "compare --task regression --reference big.onnx --candidate small.tflite --scale 1"


def lay(folder: Path) -> None:
    """Nets with one and with three outputs, data that fit them, and files that do not."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (N, *SHAPE[1:]), dtype=np.uint8)
    for k, tail in ((1, ""), (3, "3")):
        write_onnx(folder / f"big{tail}.onnx", SHAPE, answers=k)
        write_tflite(folder / f"small{tail}.tflite", SHAPE, dtype="int8", answers=k)
        y = x.reshape(N, -1) @ weights(answers=k).T + rng.normal(0, 3, (N, k))
        np.savez(folder / f"data{tail}.npz", x=x, y=y[:, 0] if k == 1 else y, ids=np.arange(N))
    write_tflite(folder / "nan.tflite", SHAPE, nan=True, answers=1)
    np.savez(folder / "nan.npz", x=x, y=np.full(N, np.nan))
    np.savez(folder / "classes.npz", labels=[0, 1], probs=np.eye(2))
    np.savez(folder / "old.npz", targets=[0.0, 1.0, 2.0], values=[0.0, 1.5, 2.0])
    np.savez(folder / "new.npz", targets=[0.0, 1.0, 2.0], values=[0.5, 1.5, 2.5])
    np.savez(folder / "other.npz", targets=[0.0, 1.0, 3.0], values=[0.5, 1.5, 2.5])
    (folder / "photos" / "cat").mkdir(parents=True)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That folder, in which both nets have run once."""
    folder = tmp_path_factory.mktemp("numbers") / "ready"
    folder.mkdir()
    lay(folder)
    words = f"{MODELS} --data data.npz --tolerance 5 -q"
    subprocess.run([sys.executable, "-m", "edgeval", *words.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def here(ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, to work in."""
    folder = tmp_path / "copy"
    shutil.copytree(ready, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def type_in(here: Path, capfd: pytest.CaptureFixture[str]) -> Typed:
    """Type a command line there; exit code, standard output, standard error."""

    def typed(line: str) -> tuple[int, str, str]:
        code = run(line.split())
        return code, *capfd.readouterr()

    return typed


def test_models_are_run_compared_kept_and_reported_again(type_in: Typed, here: Path) -> None:
    code, out, err = type_in(f"{MODELS} --data data.npz --tolerance 5")
    assert (code, "MSE" in out, "within 5" in out, "desktop, litert" in out) == (0, True, True, True), err
    assert max(map(len, out.splitlines())) <= 80
    kept = here / "runs/comparisons/big.onnx-against-small.tflite-desktop.json"
    row = json.loads(kept.read_text())
    assert (row["task"], row["n"], row["verdict"], row["candidate"]["origin"]) == ("regression", N, None, "desktop")
    assert row["latency_ms"]["p50"] > 0
    for name in ("r.html", "r.md", "r.xml", "r.json"):
        assert type_in(f"report {kept.relative_to(here)} -o {name}")[0] == 0
    pages = here / "runs/reports/desktop"
    assert json.loads((here / "r.json").read_text()) == row
    assert "big.onnx-against-small.tflite.html" in (pages.parent / "index.html").read_text()
    assert (here / "r.html").read_text() == (pages / "big.onnx-against-small.tflite.html").read_text()


def test_int8_answers_are_dequantised_and_nothing_runs_twice(type_in: Typed, here: Path) -> None:
    (small,) = (here / "runs/predictions").glob("small*.npz")
    (big,) = (here / "runs/predictions").glob("big*.npz")
    table, pixels = np.load(small), np.load(here / "data.npz")["x"].reshape(N, -1)
    scaled = pixels @ np.clip(np.rint(weights(answers=1) / 0.01), -127, 127).T * 0.01
    assert np.abs(table["values"] - scaled).max() <= 1.01  # half a step of the output
    assert set(np.unique(table["values"] % 2)) == {0.0}
    assert np.load(big)["values"] == pytest.approx(pixels @ weights(answers=1).T, rel=1e-5)
    code, out, err = type_in(f"{MODELS} --data data.npz --json -")
    assert (code, "run small" in err, json.loads(out)["task"]) == (0, False, "regression")


def test_several_outputs_are_shown_one_by_one(type_in: Typed) -> None:
    line = MODELS.replace("big", "big3").replace("small", "small3")
    code, out, _ = type_in(f"{line} --data data3.npz --json -")
    row = json.loads(out)
    assert (code, [one["name"] for one in row["per_output"]]) == (0, ["output 0", "output 1", "output 2"])
    assert row["metrics"]["mse"]["candidate"] == pytest.approx(
        np.mean([one["mse"]["candidate"] for one in row["per_output"]])
    )


def test_saved_tables_are_known_by_their_arrays(type_in: Typed, here: Path) -> None:
    code, out, _ = type_in("compare old.npz new.npz --tolerance 0.4 --json here.json")
    assert (code, "2 left it, 0 came in" in out) == (0, True)
    row = json.loads((here / "here.json").read_text())
    assert row["metrics"]["mse"]["delta"] == pytest.approx(0.5 / 3)
    code, out, _ = type_in("score new.npz --tolerance 0.4 --json -")
    score = json.loads(out)
    assert (code, score["per_output"][0]["mae"]["value"]) == (0, 0.5)
    assert score["within_tolerance"]["value"] == 0.0
    code, out, _ = type_in("score new.npz")
    assert (code, "largest error" in out) == (0, True)


CASES = [
    (f"{MODELS}", "need data with measured numbers"),
    (f"{MODELS} --data photos", "folder of classes"),
    (f"{MODELS} --data nan.npz", "NaN"),
    (f"{MODELS} --data data3.npz", "does not answer for the numbers"),
    (f"{MODELS} --data data.npz --tolerance 1,2", "does not fit 1 outputs"),
    (f"{MODELS} --data data.npz --tolerance x", "list of numbers"),
    (f"{MODELS} --data data.npz --outputs probs", "--outputs does not go with"),
    (f"{MODELS} --data data.npz --rung c4", "--rung does not go with"),
    ("compare --task regression --reference a:c4:torch --candidate old.npz", "are classifiers"),
    ("compare --task regression scalecnn-digits100", "both --reference and --candidate"),
    ("compare old.npz other.npz", "different targets"),
    ("compare old.npz classes.npz", "no array 'targets'"),
    ("compare --task classification old.npz new.npz", "no array 'labels'"),
    ("compare classes.npz classes.npz --tolerance 1", "--tolerance does not go with"),
    ("score classes.npz --tolerance 1", "--tolerance does not go with"),
    ("score classes.npz --task regression", "no array 'targets'"),
    ("score old.npz --task classification", "no array 'labels'"),
]


@pytest.mark.parametrize(("line", "said"), CASES, ids=[line for line, _ in CASES])
def test_bad_input_is_one_clear_line(type_in: Typed, line: str, said: str) -> None:
    code, out, err = type_in(line)
    assert said in err
    assert (code, out) == (2, "")
    assert len([text for text in err.splitlines() if text.startswith(("edgeval: ", "Error: "))]) == 1


def test_a_model_that_answers_nan_is_an_integrity_error(type_in: Typed) -> None:
    code, _, err = type_in(f"{MODELS.replace('small', 'nan')} --data data.npz")
    assert (code, "NaN or infinity" in err) == (5, True)


def test_a_changed_table_of_edgeval_is_noticed(type_in: Typed, here: Path) -> None:
    (small,) = (here / "runs/predictions").glob("small*.npz")
    arrays = dict(np.load(small))
    np.savez(small, **{**arrays, "values": arrays["values"] * 0.9})
    code, _, err = type_in(f"{MODELS} --data data.npz")
    assert (code, "is damaged" in err) == (5, True)


def test_a_kept_comparison_that_was_changed_is_refused(type_in: Typed, here: Path) -> None:
    code, _, err = type_in("report runs/comparisons/big.onnx-against-small.tflite-desktop.json --bundle b.zip")
    assert (code, "--bundle goes with comparisons of classifiers" in err) == (2, True)
    (here / "x.json").write_text('{"schema": "edgeval/compare/1", "task": "regression", "n": 3}')
    code, _, err = type_in("report x.json -o x.html")
    assert (code, "not a comparison" in err) == (2, True)


def test_a_board_out_of_reach_is_said_before_anything_runs(type_in: Typed, here: Path) -> None:
    shutil.rmtree(here / "runs")
    way = '[transport]\ntype = "ssh"\nhost = "127.0.0.1"\nport = 1\n'
    (here / "board.toml").write_text(f'schema = "edgeval/device/1"\nname = "board"\n{way}')
    code, _, err = type_in(f"{MODELS} --data data.npz --target board.toml")
    assert (code, (here / "runs").exists()) == (4, False), err

"""edgeval operators on a tiny regressor and on the demo's classifier, as a user types it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeval.cli.edge import run
from edgeval.workflow.torch_numbers import kept_values
from tests.conftest import Typed
from tests.workflow.test_fit_chain import CARD, lay, type_in


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one rung of a tiny regressor is trained and exported to the formats that are asked for."""
    folder = tmp_path_factory.mktemp("operators") / "exported"
    folder.mkdir()
    lay(folder)
    formats = '["tflite-fp32", "tflite-int8", "tflite-w8", "tflite-16x8"]'
    card = (
        CARD.replace('["tflite-fp32", "tflite-int8"]', formats).replace("[40, 200]", "[200]").replace("[4, 16]", "[8]")
    )
    (folder / "tiny.toml").write_text(card)
    type_in(folder, "train tiny.toml --workers 1 -q")
    type_in(folder, "export tiny.toml --workers 1 -q")
    return folder


@pytest.fixture
def here(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, to work in."""
    shutil.copytree(exported, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def test_every_format_is_run_and_finer_ones_move_the_answers_less(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "tiny:w8-n200:s0 tflite-16x8.tflite" in (here / "out.txt").read_text()
    tables = {}
    for fmt in ("tflite-fp32", "tflite-int8", "tflite-w8", "tflite-16x8"):
        assert run(["run", "tiny.toml", "--format", fmt, "-q"]) == 0
        (path,) = (here / "runs/predictions").glob(f"*{fmt}*.npz")
        tables[fmt] = kept_values(path)
    exact = tables["tflite-fp32"].values
    moved = {fmt: float(np.abs(table.values - exact).mean()) for fmt, table in tables.items()}
    assert 0 < max(moved["tflite-w8"], moved["tflite-16x8"]) < moved["tflite-int8"]
    (note,) = tables["tflite-16x8"].source.notes
    assert "XNNPACK has no 16x8 kernels" in note
    assert capfd.readouterr().out.count("on desktop: MSE bright") == 4


def test_operators_are_tried_one_kind_at_a_time_and_kept(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["operators", "tiny.toml:w8-n200", "--allow", "50%", "-q", "--json", "-"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["schema"], found["measure"], found["allowance"], found["n"]) == (
        "edgeval/operators/1",
        "mse_ratio",
        0.5,
        80,
    )
    assert [one["name"] for one in found["whole"]] == ["float", "int8", "w8", "16x8"]
    (dense,) = found["kinds"]
    assert (dense["kind"], dense["operators"], dense["extra_bytes"] > 0) == ("dense", 4, True)
    same = here / "runs/artifacts/tiny/w8-n200-s0"
    for name in ("int8", "w8", "16x8"):
        assert (Path(found["folder"]) / f"{name}.tflite").read_bytes() == (same / f"tflite-{name}.tflite").read_bytes()
    before = {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*.tflite")}
    assert run(["operators", "tiny.toml", "--allow", "50%"]) == 0
    out, err = capfd.readouterr()
    assert ("quantise" in err or "run tiny" in err, found["sentence"] in " ".join(out.split())) == (False, True)
    assert {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*.tflite")} == before


def test_a_classifier_is_judged_by_its_errors(type_there: Callable[[str], Typed]) -> None:
    code, out, err = type_there("operators scalecnn-digits100:c4 --json - -q")
    assert code == 0, err
    found = json.loads(out)
    assert (found["measure"], found["allowance"], {row["kind"] for row in found["kinds"]} >= {"convolution"}) == (
        "top1_drop",
        0.005,
        True,
    )
    assert found["whole"][1]["damage"]["method"] == "Tango score"


CASES = [
    ("operators tiny.toml:w9", "no such rung"),
    ("operators tiny.toml --seed 3", "edgeval export tiny.toml --seed 3 --format tflite-fp32"),
    ("operators tiny.toml --allow 5", "--allow"),
]


@pytest.mark.parametrize(("line", "said"), CASES)
def test_bad_input_says_what_to_type(here: Path, capfd: pytest.CaptureFixture[str], line: str, said: str) -> None:
    assert run(line.split()) == 2
    assert said in capfd.readouterr().err

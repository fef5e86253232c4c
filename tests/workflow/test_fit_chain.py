"""A ladder that learns numbers, as a user types it: trained on tiny pictures of known answers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeval.cli.edge import run
from edgeval.records.ladder import load_ladder
from edgeval.records.reporter import Silent
from edgeval.store import Store
from edgeval.workflow.fit import fit
from edgeval.workflow.fitjob import FitJob, fit_rung, search_rate
from edgeval.workflow.train import TrainOptions
from tests.workflow.fleet_lab import write_card

CARD = """
schema = "edgeval/ladder/1"
name = "tiny"
task = { train = "train.npz", validation = "validation.npz", test = "test.npz", scale = 1 }
net = { name = "fcn", widths = [4, 16] }
export = { formats = ["tflite-fp32", "tflite-int8"], calibration_images = 50 }
[regression]
images = [40, 200]
updates = 300
rates = [0.003]
checks = 5
"""


def lay(folder: Path) -> None:
    """The card, and pictures whose brightness and slope are to be read."""
    ramp = np.linspace(-1, 1, 8, dtype=np.float32)
    for k, (part, n) in enumerate({"train": 200, "validation": 50, "test": 80}.items()):
        rng = np.random.default_rng(k)
        y = rng.random((n, 2)).astype(np.float32)
        x = y[:, :1, None] + y[:, 1:, None] * ramp + rng.normal(0, 0.1, (n, 8, 8)).astype(np.float32)
        np.savez(folder / f"{part}.npz", x=x[..., None], y=y, output_names=["bright", "slope"])
    (folder / "tiny.toml").write_text(CARD)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the largest rung and a smaller one are trained."""
    folder = tmp_path_factory.mktemp("fit") / "trained"
    folder.mkdir()
    lay(folder)
    type_in(folder, "train tiny.toml --rung w16-n200 --rung w4-n40 --workers 1 -q")
    return folder


@pytest.fixture(scope="module")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which both are exported."""
    folder = tmp_path_factory.mktemp("fit") / "exported"
    shutil.copytree(trained, folder)
    type_in(folder, "export tiny.toml --workers 1 -q")
    return folder


def type_in(folder: Path, line: str) -> None:
    """Type a command line there; what it prints is kept in out.txt."""
    command = [sys.executable, "-m", "edgeval", *line.split()]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder / "out.txt").write_text(done.stdout)


@pytest.fixture
def here(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, to work in."""
    folder = tmp_path / "copy"
    shutil.copytree(trained, folder)
    monkeypatch.chdir(folder)
    return folder


def test_training_says_how_well_each_rung_does_and_keeps_how_it_came_about(here: Path) -> None:
    assert "w16-n200 seed 0: 1,618 parameters, rate 0.003, validation MSE bright" in (here / "out.txt").read_text()
    card = json.loads((here / "runs/artifacts/tiny/w16-n200-s0/checkpoint.json").read_text())
    assert (card["class_names"], card["fit"]["images"], card["recipe"]) == (["bright", "slope"], 200, None)
    assert max(card["fit"]["validation_mse"]) < 1 / 12 / 4  # the mean's error is 1/12
    small = json.loads((here / "runs/artifacts/tiny/w4-n40-s0/checkpoint.json").read_text())
    assert sum(small["fit"]["validation_mse"]) > sum(card["fit"]["validation_mse"])


def test_the_exported_rungs_run_and_are_compared_step_by_step(
    exported: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(exported)
    assert "tiny:w16-n200:s0 tflite-int8.tflite" in (exported / "out.txt").read_text()
    artifact = json.loads((exported / "runs/artifacts/tiny/w4-n40-s0/tflite-int8.tflite.json").read_text())
    assert (artifact["outputs"], artifact["calibration"]["n"]) == ("values", 40)
    assert run(["run", "tiny.toml", "--rung", "w4-n40", "--format", "tflite-fp32", "-q"]) == 0
    assert "tiny:w4-n40 seed 0 tflite-fp32 on desktop: MSE bright" in capfd.readouterr().out
    assert run(["compare", "tiny.toml", "--tolerance", "0.05", "-q", "--json", "-"]) == 0
    row = json.loads(capfd.readouterr().out)
    stages, outputs = row["stages"], row["per_output"]
    assert [stage["name"] for stage in stages] == ["size", "export", "quantisation"]
    for k, output in enumerate(outputs):
        assert sum(stage["mse_change"][k] for stage in stages) == pytest.approx(output["mse"]["delta"], abs=1e-12)
        assert output["step"] == pytest.approx(artifact["output"]["scale"])
    assert max(map(abs, stages[1]["mse_change"])) < 1e-6
    assert sum(stage["net"] for stage in stages) == row["flips"]["gained"] - row["flips"]["lost"]
    assert (row["candidate"]["leaked"], row["n"]) == (0, 80)


def test_rungs_with_fewer_images_than_calibrate_are_exported_once(
    exported: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(exported)
    assert run(["export", "tiny.toml"]) == 0
    out, err = capfd.readouterr()
    assert "tiny:w4-n40:s0 tflite-int8.tflite" in out
    assert "export w" not in err  # no line of progress: nothing was converted


def test_the_gate_judges_a_rung_by_its_rules_on_numbers(
    exported: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(exported)
    (exported / "edgeval.toml").write_text('[[gate.rules]]\nmetric = "mse_ratio"\nmax = 1.5\n')
    assert run(["gate", "tiny.toml", "--rung", "w16-n200", "-q"]) == 0
    out = capfd.readouterr().out
    assert "PASS" in out
    assert "change of MSE by" in out
    assert run(["gate", "tiny.toml", "--rung", "w16-n200", "--rung", "w4-n40", "-q", "--json", "-"]) == 1
    both = json.loads(capfd.readouterr().out)
    assert [row["verdict"]["status"] for row in both["rows"]] == ["PASS", "FAIL"]
    assert both["verdict"] == {"status": "FAIL", "exit_code": 1}
    page = (exported / "runs/reports/desktop/tiny-w16-n200-against-tiny-w4-n40.html").read_text()
    assert "Step by step" in page


def test_several_targets_are_compared_and_judged_and_one_that_is_gone_is_said(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(exported, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    write_card("slow", kernels="reference")
    write_card("closed", transport="ssh", host='host = "127.0.0.1"\nport = 1')
    several = "tiny.toml --rung w4-n40 --target desktop,slow,closed -q"
    assert run(["compare", *several.split(), "--json", "-"]) == 4
    found = json.loads(capfd.readouterr().out)
    assert [row["target"]["name"] for row in found["rows"]] == ["desktop", "slow"]
    assert [one["state"] for one in found["devices"]] == ["answered", "answered", "unreachable"]
    assert [row["stages"][-1]["name"] for row in found["rows"]] == ["quantisation", "device"]
    Path("edgeval.toml").write_text('[[gate.rules]]\nmetric = "mse_ratio"\nmax = 1000\n')
    assert run(["gate", *several.split()]) == 4
    assert "closed: unreachable (exit code 4)" in capfd.readouterr().out
    assert run(["run", *several.replace(",closed", "").split()]) == 0
    assert "tflite-int8 on slow: MSE bright" in capfd.readouterr().out


def job_of(folder: Path, root: str, rates: str = "[0.003]") -> FitJob:
    (folder / "tiny.toml").write_text(CARD.replace("[0.003]", rates))
    ladder = load_ladder(str(folder / "tiny.toml"))
    return FitJob(ladder, ladder.rung("w4-n40"), 0, Store(Path(root)).open().root, "cpu", 1, overwrite=False, mark="m")


def test_a_killed_training_goes_on_to_the_same_weights(here: Path) -> None:
    whole, cut = job_of(here, "whole"), job_of(here, "cut")
    ends = []

    def stop(done: int, total: int) -> None:
        ends.append(done)
        if len(ends) == 3:
            raise KeyboardInterrupt

    for job in (whole, cut):
        search_rate(job, lambda done, total: None)
    fit_rung(whole, lambda done, total: None)
    with pytest.raises(KeyboardInterrupt):
        fit_rung(cut, stop)
    assert (cut.folder / "training.safetensors").exists()
    fit_rung(cut, lambda done, total: ends.append(done))
    assert len(ends) == 6  # five checks: the third was cut before it was kept
    same = [(job.folder / "checkpoint.safetensors").read_bytes() for job in (whole, cut)]
    assert same[0] == same[1]


def test_the_rate_with_the_lowest_validation_error_is_picked_and_one_that_diverges_is_not(here: Path) -> None:
    job = job_of(here, "rates", "[1e-6, 0.003, 1e30]")
    search_rate(job, lambda done, total: None)
    found = json.loads((job.search / "rates.json").read_text())
    assert (found["rate"], list(found["tried"])) == (0.003, ["1e-06", "0.003"])
    assert [path.name for path in job.search.iterdir()] == ["rates.json"]


def test_what_is_trained_stays_and_another_recipe_is_refused(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ladder = load_ladder("tiny.toml")
    cards = fit(ladder, TrainOptions(rungs=("w4-n40",), device="cpu"), Store(Path("runs")), Silent())
    assert [card.rung for card in cards] == ["w4-n40"]
    Path("tiny.toml").write_text(CARD.replace("updates = 300", "updates = 200"))
    assert run(["train", "tiny.toml", "--rung", "w4-n40"]) == 2
    assert "trained otherwise" in capfd.readouterr().err


def test_of_a_changed_search_only_what_it_picks_counts(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    weights = here / "runs/artifacts/tiny/w4-n40-s0/checkpoint.safetensors"
    before, only = weights.stat().st_mtime_ns, ["train", "tiny.toml", "--rung", "w4-n40", "--workers", "1", "-q"]
    Path("tiny.toml").write_text(CARD.replace("[0.003]", "[1e-6, 0.003]"))
    assert run(only) == 0
    assert weights.stat().st_mtime_ns == before
    assert json.loads((weights.parents[1] / "w4-n40-search/rates.json").read_text())["rate"] == 0.003
    Path("tiny.toml").write_text(CARD.replace("[0.003]", "[1e-6]"))
    capfd.readouterr()
    assert run(only) == 2
    assert "trained at another learning rate (seen: 0.003 then, 1e-06 now)" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train tiny.toml --epochs 3", "--epochs does not go with a ladder that learns numbers"),
        ("train tiny.toml --rung w4", "no such rung"),
        ("scaling tiny.toml", "tiny learns numbers"),
    ],
)
def test_what_does_not_go_with_numbers_is_said(
    here: Path, line: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(line.split()) == 2
    assert said in capfd.readouterr().err

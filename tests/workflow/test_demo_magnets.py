"""edgeval demo --magnets with a smaller card of the same name, and where magnets are looked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeval.cli.edge import run
from edgeval.records.ladder import load_ladder
from edgeval.workflow.data import preprocess_of
from edgeval.workflow.measured import load_part
from tests.conftest import Typed

CARD = """
schema = "edgeval/ladder/1"
name = "fcn-cri3-small"
task = { name = "cri3", test_images = 40, validation_images = 20 }
net = { name = "fcn", widths = [16] }
regression = { images = [20], updates = 100, rates = [1e-3], checks = 4 }
export = { formats = ["tflite-fp32", "tflite-int8"], calibration_images = 10 }
"""
Type = Callable[[str], Typed]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Type:
    """Type an edgeval line in a folder whose own card hides the shipped one."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "fcn-cri3-small.toml").write_text(CARD)
    monkeypatch.setenv("EDGEVAL_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return lambda line: (run(line.split()), *capfd.readouterr())


def times() -> dict[Path, int]:
    """When each result was written; reports are written each time."""
    kept = [*Path("data").rglob("*.npz"), *Path("runs/artifacts").rglob("*"), *Path("runs/predictions").glob("*.npz")]
    return {path: path.stat().st_mtime_ns for path in kept}


@pytest.mark.timeout(400)
def test_one_command_makes_a_regressor_and_its_images_and_says_what_is_next(typed: Type) -> None:
    code, out, err = typed("demo --magnets")
    assert code == 0, err
    made = [Path(word) for word in re.findall(r"\S+\.(?:tflite|html)", out)]
    assert {path.suffix for path in made} == {".tflite", ".html"}
    assert all(path.is_file() for path in made)
    assert "80 magnets" in err
    before = times()
    code, again, _ = typed("demo --magnets -q")
    assert (code, again, times()) == (0, out, before)
    following = [line for line in out.splitlines() if line.startswith("  edgeval ")]
    assert [line.split()[1] for line in following] == ["compare", "init"]
    assert typed("init --task regression")[0] == 0
    assert typed(following[1].partition("&& edgeval ")[2] + " -q")[0] in (0, 1, 3)


def test_magnets_are_normalised_unless_the_card_says_otherwise(typed: Type) -> None:
    usual = preprocess_of(load_ladder("fcn-cri3"))
    assert (usual.scale, len(usual.mean), len(usual.std)) == (1, 2, 2)
    Path("own.toml").write_text(CARD.replace('"cri3",', '"cri3", std = [0.5],'))
    own = preprocess_of(load_ladder("./own.toml"))
    assert (own.scale, own.mean, own.std) == (1, (0,), (0.5,))


def test_a_results_folder_that_is_a_file_is_told_before_anything_is_simulated(typed: Type) -> None:
    Path("busy").write_text("")
    code, _, err = typed("demo --magnets --runs busy")
    assert (code, "choose --runs DIR" in err, Path("data").exists()) == (2, True, False), err


@pytest.mark.parametrize(
    ("task", "command"),
    [("", "edgeval simulate cri3 -n 80"), ('magnets = "m n",', "edgeval simulate cri3 -n 80 --out 'm n'")],
)
def test_missing_magnets_name_the_command_that_makes_them(typed: Type, task: str, command: str) -> None:
    Path("own.toml").write_text(CARD.replace('name = "cri3",', task) if task else CARD)
    code, _, err = typed("train ./own.toml")
    assert (code, f"make it with {command}" in err) == (2, True), err


def test_what_is_simulated_without_a_folder_is_found_by_name(typed: Type) -> None:
    assert typed("simulate cri3 -n 60 --shard-size 20 --image-size 8 --window 100 --workers 1 -q")[0] == 0
    ladder = load_ladder("fcn-cri3-small")
    assert len(load_part(ladder, "test")) == 40
    code, _, err = typed("train fcn-cri3-small")
    assert (code, "edgeval simulate cri3 -n 80, with the options it was made with" in err) == (2, True), err
    for line in ("demo --magnets", "study deep-regression --ladder fcn-cri3-small"):
        code, _, err = typed(line)
        assert (code, "--out" in err) == (2, False), err
        assert "set EDGEVAL_DATA to another folder, or make more of these magnets: edgeval simulate cri3 -n 80" in err

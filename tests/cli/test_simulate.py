"""edgeval simulate cri3: one magnet, its critical angle, data sets that go on; and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from edgeval.cli.edge import run
from edgeval.physics import plan as plans
from edgeval.physics.plan import Plan
from edgeval.workflow import simulate as work
from tests.conftest import Typed

SMALL = "--shard-size 20 --image-size 24 --workers 1 -q"
Type = Callable[[str], Typed]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Type:
    """Type `edgeval simulate cri3 LINE` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda line: (run(["simulate", "cri3", *line.split()]), *capfd.readouterr())


def test_one_magnet_as_json(typed: Type) -> None:
    code, out, err = typed("--theta 1.508 --j 2 --d 0.1 --json -")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["energy_per_area"] == pytest.approx(-0.042608, rel=3e-4)
    assert (found["converged"], found["grid"], found["phase"], found["afm_patches"]) == (True, 32, "domains", 3)
    assert found["iterations"] > 5


def test_one_magnet_in_words(typed: Type) -> None:
    code, out, _ = typed("--theta 2.5 --j 2 --d 0.1")
    assert code == 0
    assert out.startswith("canted, 3 antiferromagnetic patches")
    assert "meV/A^2" in out


@pytest.mark.parametrize(("d", "angle"), [(0.1, 3.98), (0.3, 1.36), (0.5, None)])
def test_critical_angle_as_json(typed: Type, d: float, angle: float | None) -> None:
    code, out, _ = typed(f"--critical-angle --j 2 --d {d} --json -")
    found = json.loads(out)["theta_c"]
    assert code == 0
    assert found is None if angle is None else found == pytest.approx(angle, rel=0.005)


def test_uniform_magnets_are_computed_with_a_warning(typed: Type) -> None:
    code, out, err = typed("--theta 4.3 --j 2 --d 0.1 --json -")
    assert (code, json.loads(out)["phase"]) == (0, "fm")
    assert "textures end at 3.98 degrees" in err
    assert "no information" in err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--theta -1 --j 2 --d 0.1", "theta must be a finite number above 0"),
        ("--theta 1.2 --j 0 --d 0.1", "J must be"),
        ("--theta 1.2 --j 2 --d -0.1", "D must be"),
        ("--theta nan --j 2 --d 0.1", "theta must be"),
        ("--theta 1.2 --j inf --d 0.1", "J must be"),
        ("--theta one --j 2 --d 0.1", "not a valid float"),
        ("--theta 1.2 --j 2", "give --d too"),
        ("--critical-angle --j 2 --d 0", "D must be"),
        ("--critical-angle --theta 1 --j 2 --d 0.1", "--theta: this option has no use here"),
        ("--theta 1 --j 1 --d 0.2 --grid 32", "use --grid 61"),
        ("--theta 0.2 --j 1 --d 0.2", "this magnet needs a grid of 302"),
        ("--theta 1 --j 1 --d 0.2 --grid 100000", "from 8 to 512"),
        ("--out d", "a data set takes -n N"),
        ("-n 10 --critical-angle", "a data set takes -n N"),
        ("-n 0 --out d", "0 is not in the range"),
        ("-n 999999999999999 --out d", "is not in the range"),
        ("-n 10 --out d --theta 1", "draws theta, J and D"),
        ("-n 10 --out d --theta-range 0.1 2", "raise the low end of --theta-range"),
        ("--theta 1e-9 --j 2 --d 0.1", "for example 1.2 degrees"),
        ("-n 10 --out d --d-range 0.2 0.1", "--d-range"),
        ("-n 10 --out d --window 5000", "--image-size 103 or more"),
        ("--theta 1.2 --j 1e300 --d 0.1", "between 1e-6 and 1e6 meV"),
        ("--theta 45 --j 2 --d 0.1", "between 0.001 and 30 degrees"),
        ("-n 10 --out d --window 1e308", "the window must be a finite width"),
        ("-n 10 --out d --j-range 1 inf", "for example --j-range 1.0 3.0"),
        ("-n 10 --out d --json .", "is not a file's name"),
        ("-n 10 --out d --window nan", "the window must be a finite width"),
        ("--theta 1 --j 1 --d 0.1 --seed 1", "--seed: this option has no use here"),
    ],
)
def test_bad_input_is_one_clear_line(typed: Type, line: str, said: str) -> None:
    code, out, err = typed(line)
    assert (code, out) == (2, "")
    assert said in err
    assert not Path("d").exists()


def test_data_sets_are_nested_and_go_on(typed: Type) -> None:
    assert typed(f"-n 50 --out whole {SMALL}")[0] == 0
    assert typed(f"-n 30 --out part {SMALL} --json made.json")[0] == 0
    assert json.loads(Path("made.json").read_text())["samples"] == 30
    first = Path("part/shard-00000.npz").stat().st_mtime_ns
    assert typed(f"-n 50 --out part {SMALL}")[0] == 0
    assert Path("part/shard-00000.npz").stat().st_mtime_ns == first
    for name in ("shard-00000.npz", "shard-00001.npz", "shard-00002.npz"):
        with np.load(f"whole/{name}") as one, np.load(f"part/{name}") as two:
            assert all(np.array_equal(one[key], two[key]) for key in one.files)
    assert Path("part/preview.png").read_bytes().startswith(b"\x89PNG")


def test_shards_hold_what_is_said(typed: Type) -> None:
    assert typed(f"-n 20 --out d {SMALL}")[0] == 0
    plan = Plan(shard_size=20)
    with np.load("d/shard-00000.npz", allow_pickle=False) as shard:
        assert shard["images"].shape == (20, 24, 24, 2)
        assert shard["images"].dtype == np.float32
        assert np.abs(shard["images"]).max() <= 1
        assert [*zip(shard["theta"], shard["j"], shard["d"], strict=True)] == [
            (m.theta, m.j, m.d) for m in map(plan.magnet, range(20))
        ]
        assert shard["converged"].all()
        header = json.loads(str(shard["header"]))
    assert header["seed"] == 0
    assert header["simulator"]


def test_damaged_and_missing_shards_are_made_again(typed: Type) -> None:
    assert typed(f"-n 40 --out d {SMALL}")[0] == 0
    before = Path("d/shard-00001.npz").read_bytes()
    Path("d/shard-00000.npz").unlink()
    Path("d/shard-00001.npz").write_bytes(before[: len(before) // 2])
    code, out, _ = typed(f"-n 40 --out d {SMALL}")
    assert (code, "(2 made now)" in out) == (0, True)
    with np.load("d/shard-00001.npz") as shard:
        assert shard["index"].tolist() == list(range(20, 40))


def test_a_killed_run_leaves_whole_shards_only(typed: Type, tmp_path: Path) -> None:
    line = f"simulate cri3 -n 1000 --out d {SMALL}".split()
    child = subprocess.Popen([sys.executable, "-m", "edgeval", *line], cwd=tmp_path)
    until = time.monotonic() + 60
    while not list(Path("d").glob("shard-*.npz")) and time.monotonic() < until:
        time.sleep(0.02)
    child.kill()
    child.wait()
    kept = {path: path.stat().st_mtime_ns for path in Path("d").glob("shard-*.npz")}
    assert 0 < len(kept) < 50
    count = 20 * len(kept) + 20
    assert typed(f"-n {count} --out d {SMALL}")[0] == 0
    assert len(list(Path("d").glob("shard-*.npz"))) == len(kept) + 1
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())


@pytest.mark.parametrize("other", ["--seed 5", "--theta-range 1 2", "--window 300", "--coupling rigid"])
def test_another_data_set_is_not_mixed_in(typed: Type, other: str) -> None:
    work._claim(Plan(shard_size=20, window=plans.Window(400, 24)), Path("d"))
    code, _, err = typed(f"-n 20 --out d {SMALL} {other}")
    assert code == 2
    assert "holds another data set" in err


def test_folders_with_other_things_are_left_alone(typed: Type) -> None:
    Path("d").mkdir()
    Path("d/thesis.tex").touch()
    Path("file").touch()
    assert "holds something else" in typed(f"-n 20 --out d {SMALL}")[2]
    assert "must be a folder" in typed(f"-n 20 --out file {SMALL}")[2]


def test_processes_share_the_shards(typed: Type) -> None:
    code, out, err = typed("-n 40 --out d --shard-size 20 --image-size 24 --workers 2")
    assert (code, "40 samples in 2 shards (2 made now)" in out, "40/40 images" in err) == (0, True, True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said(typed: Type) -> None:
    code, _, err = typed(f"-n 20 --out d {SMALL} --device cuda")
    assert (code, "torch sees no GPU" in err, Path("d").exists()) == (2, True, False)

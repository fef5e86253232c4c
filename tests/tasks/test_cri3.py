"""Simulated magnets as regression data: parts, nested training sets, scaled targets, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgeval.archive import read_npz
from edgeval.errors import DataError
from edgeval.physics.picture import Window
from edgeval.physics.plan import Plan
from edgeval.records.reporter import Silent
from edgeval.tasks.cri3 import MEAN, STD, Parts, holds, is_magnets, load_cri3, ranges
from edgeval.workflow.simulate import data_set

BENT = {"theta": [0.8, 2.0], "j": [1.0, float("inf")], "d": [0.02, 0.2]}
PLAN, FEW = Plan(seed=4, window=Window(400, 16), shard_size=20), Parts(test=24, validation=8)


@pytest.fixture(scope="module")
def magnets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 samples in three shards."""
    folder = tmp_path_factory.mktemp("magnets") / "set"
    data_set(PLAN, 50, folder, 1, Silent())
    return folder


def test_parts_are_apart_and_whole(magnets: Path) -> None:
    parts = [load_cri3(magnets, part, parts=FEW) for part in ("test", "validation", "train")]
    assert [len(part) for part in parts] == [24, 8, 18]
    assert [name for part in parts for name in part.samples.ids] == [str(k) for k in range(50)]
    assert parts[0].output_names == ("theta", "j", "d")
    assert parts[0].samples.images.shape == (24, 16, 16, 2)


def test_training_sets_are_nested(magnets: Path) -> None:
    small, large = (load_cri3(magnets, "train", count=count, parts=FEW) for count in (7, None))
    assert small.samples.ids == large.samples.ids[:7]
    assert np.array_equal(small.samples.images, large.samples.images[:7])


def test_targets_are_scaled_by_the_ranges(magnets: Path) -> None:
    found = load_cri3(magnets, "test", parts=FEW)
    assert 0 <= found.targets.min() < 0.1 < 0.9 < found.targets.max() <= 1
    magnet = PLAN.magnet(5)
    units, low, high = zip(*ranges(magnets), strict=True)
    assert units == ("degrees", "meV", "meV")
    values = np.array(low) + found.targets[5] * (np.array(high) - low)
    assert values == pytest.approx([magnet.theta, magnet.j, magnet.d])


def test_too_few_samples_name_the_command(magnets: Path) -> None:
    with pytest.raises(DataError, match="edgeval simulate cri3 -n 2000"):
        load_cri3(magnets, "test")
    with pytest.raises(DataError, match="-n 132"):
        load_cri3(magnets, "train", count=100, parts=FEW)
    with pytest.raises(DataError, match="make it with edgeval simulate it"):
        load_cri3(magnets / "nothing", "test", command="edgeval simulate it")


def test_whether_samples_are_there_is_told_by_their_index(magnets: Path, tmp_path: Path) -> None:
    assert [holds(magnets, n) for n in (0, 20, 50, 51)] == [True, True, True, False]
    assert not holds(magnets / "nothing", 0)
    for path in magnets.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "shard-00001.npz").unlink()
    assert [holds(tmp_path, n) for n in (20, 21, 50)] == [True, False, False]
    (tmp_path / "shard-00001.npz").write_bytes((magnets / "shard-00002.npz").read_bytes())
    assert not holds(tmp_path, 21)
    only = read_npz(magnets / "shard-00000.npz", only=("index",))
    assert list(only) == ["index"]


def test_the_normalisation_is_that_of_the_pictures(magnets: Path) -> None:
    images = load_cri3(magnets, "test", parts=Parts(test=50)).samples.images
    assert images.mean(axis=(0, 1, 2)) == pytest.approx(MEAN, abs=0.06)
    assert images.std(axis=(0, 1, 2)) == pytest.approx(STD, rel=0.25)


def test_samples_that_did_not_converge_are_left_out_and_counted(magnets: Path, tmp_path: Path) -> None:
    for path in magnets.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with np.load(tmp_path / "shard-00000.npz") as shard:
        arrays = dict(shard)
    arrays["converged"][[3, 4]] = False
    np.savez(tmp_path / "shard-00000.npz", **arrays)
    found = load_cri3(tmp_path, "test", parts=FEW)
    assert len(found) == 22
    assert "3" not in found.samples.ids
    assert found.samples.notes == ("2 of 24 samples left out: not converged",)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "edgeval/cri3/9"},
        {"ranges": {}},
        {"ranges": BENT},
        {"seed": 5},
        {"shard_size": None},
        {"shard_size": 0},
    ],
)
def test_other_folders_are_refused(magnets: Path, tmp_path: Path, change: dict[str, object]) -> None:
    for path in magnets.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    plan = json.loads((tmp_path / "cri3.json").read_text())
    (tmp_path / "cri3.json").write_text(json.dumps(plan | change))
    with pytest.raises(DataError):
        load_cri3(tmp_path, "test", parts=FEW)
    assert is_magnets(tmp_path)
    assert not is_magnets(tmp_path / "nothing")

"""On a real Ray cluster of two nodes: magnets simulated, and a ladder that learns numbers trained, exported and run."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from edgeval.records.values import read_values
from tests.workflow.test_fit_chain import CARD, lay
from tests.workflow.test_remote import Lab, lab, until, weights  # noqa: F401 - a fixture

pytest.importorskip("ray", reason="the extra cluster is not installed")
pytestmark = [pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore:os.fork")]
RUNGS = "--rung w16-n200 --rung w4-n40"


@pytest.fixture
def tiny(lab: Lab) -> Lab:  # noqa: F811
    """The same with the tiny card, whose rate is searched."""
    lay(lab.folder)
    (lab.folder / "tiny.toml").write_text(CARD.replace("[0.003]", "[0.001, 0.003]"))
    return lab


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("shard-*.npz")}


def test_magnets_of_a_cluster_are_those_of_this_machine_also_after_a_killed_worker(lab: Lab) -> None:  # noqa: F811
    line = "simulate cri3 -n 180 --shard-size 20 --image-size 24"
    assert lab.typed(f"{line} --out near -q")[0] == 0
    process = lab.start(f"{line} --out far --cluster CLUSTER")
    until(lambda: list((lab.folder / "far").glob("shard-*.npz")), process)
    for folder in lab.scratch.glob("edgeval-job-*"):
        os.kill(int(folder.name.split("-")[2]), signal.SIGKILL)
    assert len(shards(lab.folder / "far")) < 9, "it was killed in the middle"
    out, err = process.communicate()
    assert (process.returncode, "its worker on" in err) == (0, True), err
    assert "180 samples in 9 shards (9 made now)" in out
    assert shards(lab.folder / "far") == shards(lab.folder / "near")


def test_a_ladder_of_numbers_is_trained_exported_and_run_as_on_this_machine(tiny: Lab) -> None:
    one = "./tiny.toml --rung w4-n40 --format tflite-fp32"
    for line in (f"train ./tiny.toml {RUNGS}", f"export {one}", f"run {one}"):
        both = [tiny.start(f"{line} --runs far -q --cluster CLUSTER"), tiny.start(f"{line} --runs near -q")]
        said = [process.communicate() for process in both]
        assert [process.returncode for process in both] == [0, 0], said
    far, near = tiny.folder / "far", tiny.folder / "near"
    assert len(weights(far)) == 2
    assert weights(far) == weights(near)
    for name in ("rates.json", "*.tflite"):
        assert [path.read_bytes() for path in sorted(far.rglob(name))] == [
            path.read_bytes() for path in sorted(near.rglob(name))
        ]
    tables = {path.name for path in (near / "predictions").glob("*.npz")}
    assert len(tables) == 1
    for name in tables:
        there, here = (read_values(side / "predictions" / name) for side in (far, near))
        assert np.array_equal(there.values, here.values)

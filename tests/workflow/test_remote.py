"""A real Ray cluster of two nodes on this machine: equal weights, killed workers, lost nodes, errors of single jobs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeval.records.predictions import read_table
from tests.workflow.test_train import CARD, NET

pytest.importorskip("ray", reason="the extra cluster is not installed")
# Ray's nodes are forked from here, where another test may have loaded JAX, which warns of any fork.
pytestmark = [pytest.mark.timeout(240), pytest.mark.filterwarnings("ignore:os.fork")]
ROOT = Path(__file__).parents[2]
FAILS = "    if width == 6:\n        raise TypeError('no six')\n"
FORMATS = ["tflite-int8"]
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


@dataclass
class Lab:
    """A cluster, and a folder in which command lines are typed; the nodes' temporary folder is their own."""

    cluster: Any
    folder: Path
    scratch: Path
    nodes: list[Any] = field(default_factory=list)

    def start(self, line: str, package: Path = ROOT) -> subprocess.Popen[str]:
        """An edgeval command that runs by itself, of the package in this folder."""
        command = [sys.executable, "-m", "edgeval", *line.replace("CLUSTER", self.cluster.address).split()]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.folder, env=environment(package), text=True, **pipes)  # type: ignore[call-overload, no-any-return]

    def typed(self, line: str) -> tuple[int, str, str]:
        process = self.start(line)
        out, err = process.communicate()
        return process.returncode, out, err

    def worker(self, rung: str) -> int:
        """The process that serves a rung's job, 0 where none does: its scratch folder has its number."""
        found = [path for path in self.scratch.glob(f"edgeval-job-*/artifacts/mine/{rung}-s0") if path.is_dir()]
        pids = [int(path.relative_to(self.scratch).parts[0].split("-")[2]) for path in found]
        return next((pid for pid in pids if Path(f"/proc/{pid}/exe").exists()), 0)


def environment(package: Path = ROOT) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(package), "RAY_USAGE_STATS_ENABLED": "0"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    from ray.cluster_utils import Cluster

    folder, short = tmp_path_factory.mktemp("lab"), Path(tempfile.mkdtemp(prefix="ev-", dir="/tmp"))
    rng = np.random.default_rng(0)
    for label, colour in enumerate(("red", "green", "blue")):
        (folder / "photos" / colour).mkdir(parents=True)
        for i in range(12):
            image = rng.integers(0, 80, (16, 16, 3), dtype=np.uint8)
            image[..., label] += 150
            Image.fromarray(image).save(folder / "photos" / colour / f"{i}.png")
    (folder / "mynet.py").write_text(NET)
    (folder / "broken.py").write_text(NET.replace("    wide =", f"{FAILS}    wide ="))
    (folder / "own.toml").write_text(CARD.format(net='factory = "mynet:build"', widths="2, 6", epochs=2))
    (folder / "broken.toml").write_text(CARD.format(net='factory = "broken:build"', widths="2, 6", epochs=2))
    (folder / "long.toml").write_text(CARD.format(net='name = "scalecnn"', widths="4, 6", epochs=40))
    scratch = short / "scratch"
    (scratch / "ray").mkdir(parents=True)  # where Ray notes its address
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**environment(), "TMPDIR": str(scratch)}.items():
            patch.setenv(name, value)  # for the nodes
        cluster = Cluster(initialize_head=True, head_node_args={**NODE, "temp_dir": str(short / "ray")})
        made = Lab(cluster, folder, scratch, [cluster.add_node(**NODE)])
    try:
        yield made
    finally:
        cluster.shutdown()
        shutil.rmtree(short, ignore_errors=True)


@pytest.fixture(scope="module")
def whole(lab: Lab) -> dict[str, bytes]:
    """The weights of an undisturbed local run."""
    assert lab.typed("train ./long.toml --runs whole -q")[0] == 0
    return weights(lab.folder / "whole")


def weights(runs: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in runs.rglob("checkpoint.safetensors")}


def until(ask: Callable[[], Any], process: subprocess.Popen[str]) -> Any:
    """The first answer that is something, while the process runs."""
    while not (answer := ask()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return answer


def test_a_killed_worker_is_replaced_and_the_weights_are_those_of_a_local_run(
    lab: Lab, whole: dict[str, bytes]
) -> None:
    process = lab.start("train ./long.toml --cluster CLUSTER --runs killed")
    folder = lab.folder / "killed/artifacts/mine/c4-s0"
    until((folder / "training.safetensors").exists, process)
    os.kill(lab.worker("c4"), signal.SIGKILL)
    assert not (folder / "checkpoint.json").exists(), "it was killed in the middle"
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert "cluster: 2 nodes, 2 jobs at once" in err
    assert "train c4 seed 0: its worker on" in err
    assert weights(lab.folder / "killed") == whole
    assert not list((lab.folder / "killed").rglob("training.safetensors"))


def test_a_killed_command_goes_on_from_the_epochs_that_had_arrived(lab: Lab, whole: dict[str, bytes]) -> None:
    process = lab.start("train ./long.toml --cluster CLUSTER --runs cut")
    until((lab.folder / "cut/artifacts/mine/c4-s0/training.safetensors").exists, process)
    process.kill()
    process.communicate()
    assert not weights(lab.folder / "cut")
    code, _, err = lab.typed("train ./long.toml --cluster CLUSTER --runs cut -q")
    assert code == 0, err
    assert weights(lab.folder / "cut") == whole


def test_an_interrupted_command_ends_what_runs_for_it(lab: Lab) -> None:
    process = lab.start("train ./long.toml --cluster CLUSTER --runs stopped")
    until((lab.folder / "stopped/artifacts/mine/c4-s0/training.safetensors").exists, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, "interrupted" in err) == (130, True), err
    ended = time.monotonic() + 30
    while lab.worker("c4"):
        assert time.monotonic() < ended, "its job goes on"
        time.sleep(0.1)


def test_nodes_with_another_edgeval_are_refused_before_anything_runs(lab: Lab, tmp_path: Path) -> None:
    for part in ("edgeval", "models", "devices"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    with open(tmp_path / "edgeval" / "store.py", "a") as file:
        file.write("# another state of the code\n")
    process = lab.start("train ./own.toml --cluster CLUSTER --runs other", tmp_path)
    _, err = process.communicate()
    assert (process.returncode, err.count("\n")) == (4, 1), err
    assert "differs from this machine (seen: edgeval 0." in err
    assert not weights(lab.folder / "other")


def test_an_error_ends_its_own_job_only(lab: Lab) -> None:
    code, _, err = lab.typed("train ./broken.toml --cluster CLUSTER --runs broken -q")
    assert (code, "no six" in err) == (2, True), err
    assert list(weights(lab.folder / "broken")) == ["w2-s0"]


def test_export_and_run_give_the_files_and_answers_of_this_machine(lab: Lab) -> None:
    assert lab.typed("train ./own.toml --rung w2 --runs far -q")[0] == 0
    shutil.copytree(lab.folder / "far", lab.folder / "near")
    for verb in ("export", "run"):
        line = f"{verb} ./own.toml --format tflite-int8 -q --runs"
        both = [lab.start(f"{line} far --cluster CLUSTER"), lab.start(f"{line} near")]
        said = [process.communicate() for process in both]
        assert [process.returncode for process in both] == [0, 0], said
    far, near = ({path.name: path for path in (lab.folder / side).rglob("*.*")} for side in ("far", "near"))
    assert set(near) - {"export.log"} <= set(far)
    assert all(
        near[name].read_bytes() == far[name].read_bytes() for name in near if name.endswith((".onnx", ".tflite"))
    )
    tables = [name for name in near if name.endswith(".npz")]
    answers = [[read_table(side[name], trusted=True) for name in tables] for side in (far, near)]
    assert all(np.array_equal(there.outputs, here.outputs) for there, here in zip(*answers, strict=True))
    marked = [table.source.format for table in answers[0] if "not to be trusted" in str(table.source.notes)]
    assert sorted(marked) == FORMATS
    code, _, err = lab.typed("run ./own.toml --cluster CLUSTER --runs far --target rpi4")
    assert (code, "only the target desktop" in err) == (2, True)


def test_a_lost_node_leaves_its_jobs_to_the_others(lab: Lab, whole: dict[str, bytes]) -> None:
    process = lab.start("train ./long.toml --cluster CLUSTER --runs lost")
    until(lambda: len(list((lab.folder / "lost").rglob("training.safetensors"))) == 2, process)
    lab.cluster.remove_node(lab.nodes.pop(), allow_graceful=False)
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert "goes on from what was saved" in err
    assert weights(lab.folder / "lost") == whole

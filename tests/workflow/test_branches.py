"""Jobs dealt over GPUs, and the branches of one group from start to finish on the CPU."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from edgeval.errors import BenchError, DeviceMemoryError, EdgevalError, GraphError
from edgeval.records.ladder import Ladder, Net, Recipe, TaskSource, load_ladder
from edgeval.records.reporter import Progress, Silent
from edgeval.store import Store
from edgeval.train import capture
from edgeval.train.branch import Branch
from edgeval.workflow.branches import Gpu, Group, deal, grouped, halves, on_gpus, train_branches, train_group
from edgeval.workflow.rungjob import RungJob
from tests.workflow.test_together import jobs

BIG = 140 * 2**30


def paper(name: str, widths: tuple[float, ...], seeds: int = 5) -> list[RungJob]:
    found = jobs(name, widths, seeds, "cuda")
    ladder = found[0].ladder.model_copy(update={"train": Recipe(precision="bf16")})
    return [replace(job, ladder=ladder) for job in found]


@pytest.mark.parametrize(
    ("todo", "memory", "sizes"),
    [
        (paper("scalecnn", (4, 8)), BIG, [10]),
        (paper("scalecnn", (4, 8, 12)), BIG, [10, 5]),
        (paper("mobilenetv2", (1.0,)), BIG, [5]),
        (paper("mobilenetv2", (3.0,)), BIG, [2, 2, 1]),
        (paper("mobilenetv2", (0.25, 3.0), 1), BIG, [2]),
        (paper("mobilenetv2", (3.0,)), 4 * 2**30, [1] * 5),
        ([], BIG, []),
    ],
)
def test_neighbours_share_a_graph_until_the_gpu_is_full(todo: list[RungJob], memory: int, sizes: list[int]) -> None:
    found = grouped(todo, memory)
    assert [len(group.jobs) for group in found] == sizes
    assert [job for group in found for job in group.jobs] == todo


def test_a_network_of_the_users_own_goes_through_the_plain_loop() -> None:
    net = Net(factory="mine:build", widths=(1, 2))
    ladder = Ladder(schema="edgeval/ladder/1", name="l", task=TaskSource(name="digits100"), net=net)
    todo = [RungJob(ladder, rung, 0, Path("nowhere"), "cuda", 1, False, "mark") for rung in ladder.rungs]
    assert [(len(group.jobs), group.graph) for group in grouped(todo, BIG)] == [(1, False)] * 2


def test_groups_are_dealt_by_what_they_take() -> None:
    groups = grouped(paper("mobilenetv2", (0.25, 3.0)), BIG)
    dealt = deal(groups, ["cuda:0", "cuda:1"])
    assert sorted(job.seed for group in dealt for job in group.jobs) == sorted([*range(5)] * 2)
    assert {group.device for group in dealt} == {"cuda:0", "cuda:1"}
    assert all(job.device == group.device for group in dealt for job in group.jobs)
    by_gpu = {name: [len(g.jobs) for g in dealt if g.device == name] for name in ("cuda:0", "cuda:1")}
    assert sum(map(sum, by_gpu.values())) == 10


@pytest.mark.parametrize(
    ("count", "error", "sizes", "graph"),
    [
        (5, DeviceMemoryError("short"), [3, 2], True),
        (2, DeviceMemoryError("short"), [1, 1], True),
        (1, DeviceMemoryError("short"), [1], False),
        (3, GraphError("no"), [1, 1, 1], False),
        (3, BenchError("died"), [], None),
    ],
)
def test_what_does_not_fit_is_halved(count: int, error: EdgevalError, sizes: list[int], graph: bool | None) -> None:
    found = halves(Group(tuple(jobs("scalecnn", (4,), count, "cuda"))), error)
    assert [len(group.jobs) for group in found] == sizes
    assert all(group.graph is graph for group in found)
    assert [job.seed for group in found for job in group.jobs] == [*range(count)][: sum(sizes)]


CARD = """schema = "edgeval/ladder/1"
name = "few"
[task]
train = "few.npz"
test = "few.npz"
[net]
name = "scalecnn"
widths = [1]
[train]
epochs = {epochs}
batch = 8
lr = 1e-3
"""


def small(root: Path, seeds: int, epochs: int = 1) -> list[RungJob]:
    """Jobs of a small network on 80 images."""
    store = Store(root / "runs")
    store.open()
    rng = np.random.default_rng(0)
    np.savez(root / "few.npz", x=rng.integers(0, 256, (80, 32, 32, 3), dtype=np.uint8), y=np.arange(80) % 4)
    (root / "card.toml").write_text(CARD.format(epochs=epochs))
    ladder = load_ladder(str(root / "card.toml"))
    return [RungJob(ladder, ladder.rungs[0], seed, store.root, "cpu", 1, False, "mark") for seed in range(seeds)]


def one_at_most(group: Group, progress: Progress) -> None:
    """A GPU that holds one branch."""

    def build(branches: Sequence[Branch], chunk: int) -> Callable[[], None]:
        if len(branches) > 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return capture.recorded(branches, chunk)

    train_branches(group, progress, build)


class Heard(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def test_too_little_memory_means_fewer_branches_and_is_said(tmp_path: Path) -> None:
    todo, heard = small(tmp_path, 3), Heard()
    assert on_gpus(todo, [Gpu("cpu", BIG)], heard, work=one_at_most) == []
    assert [line.split(";")[1] for line in heard.lines] == [" going on with 2 at once", " going on with 1 at once"]
    assert heard.lines[0].startswith("c1 seeds 0 1 2: the GPU has too little memory for 3 branches")
    assert all(Store(tmp_path / "runs").checkpoint(job.folder) for job in todo)
    assert not list(tmp_path.rglob("training.safetensors"))


def folder(path: Path) -> Path:
    path.mkdir()
    return path


CHILD = """
import sys
from pathlib import Path
from tests.workflow.test_branches import *
train_group(Group(tuple(small(Path(sys.argv[1]), 2, epochs=20)), device="cpu"), lambda done, total: None)
"""


def test_branches_killed_in_the_middle_go_on_to_the_same_weights(tmp_path: Path) -> None:
    whole, cut = (small(folder(tmp_path / name), 2, epochs=20) for name in ("whole", "cut"))
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path / "cut")], start_new_session=True)
    while not all((job.folder / "training.safetensors").exists() for job in cut) and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not list((tmp_path / "cut").rglob("checkpoint.json")), "it was killed in the middle"
    for asked in (whole, cut):
        train_group(Group(tuple(asked), device="cpu"), lambda done, total: None)
    for one, two in zip(whole, cut, strict=True):
        cards = [Store(job.root).checkpoint(job.folder) for job in (one, two)]
        assert cards[0] is not None
        assert cards[1] is not None
        assert cards[0][1].sha256 == cards[1][1].sha256

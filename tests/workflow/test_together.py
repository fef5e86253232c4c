"""Which jobs are trained side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.records.ladder import Ladder, Net, TaskSource
from edgeval.workflow.rungjob import RungJob
from edgeval.workflow.together import groups


def jobs(name: str, widths: tuple[float, ...], seeds: int, device: str = "cpu") -> list[RungJob]:
    task, net = TaskSource(name="digits100"), Net(name=name, widths=widths)  # type: ignore[arg-type]
    ladder = Ladder(schema="edgeval/ladder/1", name="l", task=task, net=net)
    return [
        RungJob(ladder, rung, seed, Path("nowhere"), device, 1, False, "mark")
        for rung in reversed(ladder.rungs)
        for seed in range(seeds)
    ]


@pytest.mark.parametrize(
    ("todo", "workers", "sizes"),
    [
        (jobs("scalecnn", (4,), 5), 1, [5]),
        (jobs("scalecnn", (4,), 5), 2, [2, 2, 1]),
        (jobs("scalecnn", (2, 4), 5), 2, [5, 5]),
        (jobs("scalecnn", (4, 8), 3), 2, [1, 1, 1, 3]),
        (jobs("scalecnn", (4,), 8), 1, [5, 3]),
        (jobs("scalecnn", (4,), 2), 4, [1, 1]),
        (jobs("scalecnn", (4,), 5, "cuda"), 1, [1] * 5),
        (jobs("mobilenetv2", (0.1,), 3), 1, [1] * 3),
        ([], 2, []),
    ],
)
def test_small_rungs_share_a_process_as_long_as_all_workers_have_one(
    todo: list[RungJob], workers: int, sizes: list[int]
) -> None:
    found = groups(todo, workers)
    assert [len(group) for group in found] == sizes
    assert [job for group in found for job in group] == todo

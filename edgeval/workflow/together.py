"""Which seeds of a rung are trained side by side, and that in a child process."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from edgeval.errors import EdgevalError
from edgeval.records.reporter import Progress
from edgeval.workflow.data import load_split
from edgeval.workflow.rungjob import RungJob, finish, loop_job, save_state, saved_epochs

if TYPE_CHECKING:
    from edgeval.tasks.samples import Samples
    from edgeval.train.loop import Job

WIDEST = 4  # ScaleCNN's width up to which grouped convolutions beat single ones on a CPU (docs/benchmarks.md)
MOST = 5


def groups(todo: Sequence[RungJob], workers: int) -> list[tuple[RungJob, ...]]:
    """Jobs in their order, seeds of a small rung together, as long as every worker has something to do."""
    size = min(MOST, len(todo) // max(1, workers))
    found: list[tuple[RungJob, ...]] = []
    for _, alike in groupby(todo, key=_kind):
        jobs = list(alike)
        step = size if size > 1 and _small(jobs[0]) else 1
        found += [tuple(jobs[start : start + step]) for start in range(0, len(jobs), step)]
    return found


def _kind(job: RungJob) -> tuple[str, int]:
    """What seeds must share to be trained together: the rung, and the epoch they were cut at."""
    return job.rung.name, saved_epochs(job) if _small(job) else 0


def _small(job: RungJob) -> bool:
    """Whether training this rung side by side is faster here."""
    return job.device == "cpu" and job.ladder.net.name == "scalecnn" and job.rung.width <= WIDEST and not _given(job)


def _given(job: RungJob) -> bool:
    return job.ladder.net.checkpoint is not None


def train_together(group: tuple[RungJob, ...], progress: Progress) -> None:
    """In a child process: train several seeds, write those that finished, then raise what ended the others."""
    import torch

    torch.set_num_threads(group[0].threads)
    samples = load_split(group[0].ladder, "train", lambda done, total: None)
    jobs = [(job, loop_job(job, samples)) for job in group]
    errors = []
    for _, alike in groupby(jobs, key=lambda pair: pair[1].start.epochs if pair[1].start else 0):
        error = _train_alike(list(alike), samples, progress)  # all, unless one had diverged when it was cut
        errors += [error] if error else []
    if errors:
        raise errors[0]


def _train_alike(group: list[tuple[RungJob, Job]], samples: Samples, progress: Progress) -> EdgevalError | None:
    """Train seeds that were cut at the same epoch; what ended the first that diverged."""
    from edgeval.train import fused

    ended = fused.train(
        [prepared for _, prepared in group],
        save=lambda k, state: save_state(group[k][0], state),
        progress=progress,
    )
    for (job, _), state in zip(group, ended.states, strict=True):
        if state is not None:
            finish(job, samples, state)
    return ended.error

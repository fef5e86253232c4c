"""Train on GPUs: which jobs are branches of one CUDA graph, on which GPU, and what is done when they do not fit."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from edgeval.errors import DeviceMemoryError, EdgevalError, GraphError
from edgeval.records.reporter import Progress, Reporter
from edgeval.workflow import jobs
from edgeval.workflow.data import load_split
from edgeval.workflow.rungjob import RungJob, finish, loop_job, save_state, saved_epochs, train_rung

MOST = 10  # branches of a graph
FULL = 2e-3  # seconds of memory traffic a step that fill a GPU: more branches would only take memory
ROOM = 0.6  # of a GPU's memory for branches
BANDWIDTH = 4.8e12  # bytes a second, of an H200; only proportions matter here


@dataclass(frozen=True)
class Gpu:
    """A device by its torch name, and its bytes of memory."""

    name: str
    memory: int


@dataclass(frozen=True)
class Group:
    """Jobs for one process on one GPU; without `graph` a job goes through the plain loop."""

    jobs: tuple[RungJob, ...]
    graph: bool = True
    device: str = "cuda:0"

    @property
    def label(self) -> str:
        """Rungs and their seeds, as a progress line says them."""
        rungs = dict.fromkeys(job.rung.name for job in self.jobs)
        seeds = {name: [str(job.seed) for job in self.jobs if job.rung.name == name] for name in rungs}
        return ", ".join(f"{name} seed{'s' * (len(of) > 1)} {' '.join(of)}" for name, of in seeds.items())


def visible(most: int | None = None) -> list[Gpu]:
    """The GPUs of this machine, at most so many."""
    from edgeval.train.device import memory

    return [Gpu(f"cuda:{k}", size) for k, size in enumerate(memory())][:most]


def on_gpus(
    todo: Sequence[RungJob],
    gpus: Sequence[Gpu],
    reporter: Reporter,
    *,
    work: Callable[[Group, Progress], None] | None = None,
    ended: Callable[[Sequence[RungJob]], None] = lambda group: None,
) -> list[EdgevalError]:
    """Train jobs, one process a GPU; errors of those that could not be. Groups that do not fit are halved, and said.

    `ended` hears of the jobs of each group whose process is done.
    """
    waiting = deal(grouped(todo, min(gpu.memory for gpu in gpus)), [gpu.name for gpu in gpus])
    errors: list[EdgevalError] = []
    while waiting:
        again: list[Group] = []
        tasks = [_task(group, reporter, work or train_group) for group in waiting]
        for outcome in jobs.run(tasks, len(gpus)):
            ended(waiting[outcome.index].jobs)
            if outcome.error is None:
                continue
            smaller = halves(waiting[outcome.index], outcome.error)
            if smaller:
                at_once = f"{len(smaller[0].jobs)} at once" if smaller[0].graph else "one by one without a graph"
                reporter.say(f"{waiting[outcome.index].label}: {outcome.error.what}; going on with {at_once}")
            else:
                errors.append(outcome.error)
            again += smaller
        waiting = again
    return errors


def grouped(todo: Sequence[RungJob], memory: int) -> list[Group]:
    """Neighbours in the given order (widest rungs first, seeds of a rung together) as branches of one graph.

    A group is closed when it has MOST branches, when its memory traffic fills the GPU (FULL), when one more would not
    fit into ROOM of the memory, or when the next was cut more than an epoch away. A network of the user's own goes
    alone through the plain loop: what it does may not be recordable.
    """
    found: list[list[RungJob]] = []
    for job in todo:
        last = found[-1] if found else []
        if last and _ours(job) and _ours(last[0]) and _joins(job, last, memory):
            last.append(job)
        else:
            found.append([job])
    return [Group(tuple(group), graph=_ours(group[0])) for group in found]


def _joins(job: RungJob, group: Sequence[RungJob], memory: int) -> bool:
    """Whether a job may be one more branch."""
    needed = sum(cost(each)[0] for each in (*group, job))
    busy = sum(cost(each)[1] for each in group)
    near = abs(saved_epochs(job) - saved_epochs(group[0])) <= 1
    return len(group) < MOST and busy < FULL and needed <= ROOM * memory and near


def _ours(job: RungJob) -> bool:
    return job.ladder.net.name is not None and job.ladder.net.checkpoint is None


def cost(job: RungJob) -> tuple[int, float]:
    """Bytes that a branch holds, and seconds that its memory traffic takes a step."""
    recipe = job.ladder.train
    element = 2 if recipe.precision == "bf16" else 4
    held, moved = _traffic(job.ladder.net.name or "", job.rung.width, recipe.batch, element)
    return held, moved / BANDWIDTH


@lru_cache(maxsize=256)
def _traffic(net: str, width: float, batch: int, element: int) -> tuple[int, int]:
    """Bytes held and bytes moved a step, of one of our networks with a hundred classes."""
    from edgeval.nets import build
    from edgeval.train.traffic import traffic

    found = traffic(build(net, width, 100))
    return found.memory(batch, element), found.step(batch, element)


def deal(groups: Sequence[Group], devices: Sequence[str]) -> list[Group]:
    """Each group on a GPU: the longest first, always to the one with the least to do."""
    busy = dict.fromkeys(devices, 0.0)
    dealt = []
    for group in sorted(groups, key=_seconds, reverse=True):
        device = min(busy, key=lambda name: busy[name])
        busy[device] += _seconds(group)
        placed = tuple(replace(job, device=device) for job in group.jobs)
        dealt.append(replace(group, jobs=placed, device=device))
    return dealt


def _seconds(group: Group) -> float:
    """Traffic of what is left of its epochs; a user's network counts one second an epoch."""
    left = [job.ladder.train.epochs - saved_epochs(job) for job in group.jobs]
    return sum(n * (cost(job)[1] if _ours(job) else 1.0) for n, job in zip(left, group.jobs, strict=True))


def halves(group: Group, error: EdgevalError) -> list[Group]:
    """What to try after an error: half as many branches, then no graph; nothing where that would not help."""
    if not group.graph or not isinstance(error, GraphError):
        return []
    middle = (len(group.jobs) + 1) // 2
    if isinstance(error, DeviceMemoryError) and middle < len(group.jobs):
        return [replace(group, jobs=part) for part in (group.jobs[:middle], group.jobs[middle:])]
    return [replace(group, jobs=(job,), graph=False) for job in group.jobs]


def _task(group: Group, reporter: Reporter, work: Callable[[Group, Progress], None]) -> jobs.Task:
    log = group.jobs[0].folder / "train.log"
    return jobs.Task(work, group, reporter.bar(f"train {group.label}"), log, lane=group.device)


def train_group(group: Group, progress: Progress) -> None:
    """In a child process: train branches, write those that finished, then raise what ended the others."""
    if not group.graph:
        return train_rung(group.jobs[0], progress)
    from edgeval.train import capture

    return train_branches(group, progress, capture.recorded)


def train_branches(group: Group, progress: Progress, build: Callable[..., Callable[[], None]]) -> None:
    """The same with the function that records the steps; on a CPU nothing is recorded."""
    import torch

    from edgeval.train import device, graphed

    os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", "32")  # queues for parallel branches; read when CUDA starts
    torch.set_num_threads(group.jobs[0].threads)
    device.settle(group.device)
    samples = load_split(group.jobs[0].ladder, "train", lambda done, total: None)
    ended = graphed.train(
        [loop_job(job, samples) for job in group.jobs],
        save=lambda k, state: save_state(group.jobs[k], state),
        progress=progress,
        build=build,
    )
    for job, state in zip(group.jobs, ended.states, strict=True):
        if state is not None:
            finish(job, samples, state)
    if ended.error:
        raise ended.error

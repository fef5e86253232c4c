"""Train several networks as parallel branches of one CUDA graph, each as it would be trained alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from edgeval.errors import IntegrityError
from edgeval.train import capture, loop
from edgeval.train.augment import Augmenter, augmenter
from edgeval.train.branch import Branch, Drawn
from edgeval.train.capture import Launch
from edgeval.train.fused import Ended
from edgeval.train.loop import Job, Progress, State

CHUNK = 30  # steps a launch, at most
Build = Callable[[Sequence[Branch], int], Launch]


def train(
    jobs: Sequence[Job], *, save: Callable[[int, State], None], progress: Progress, build: Build = capture.recorded
) -> Ended:
    """Train jobs that share data and recipe; nets, seeds and starts are each their own.

    Every job sees the batches and augmentations that the plain loop would give it, and `save(k, state)` is called for
    each after each epoch, while the device is at the next. A job that diverges does not touch the others, and is not
    saved any more. Raises DeviceMemoryError where the branches do not fit, GraphError where no graph can be made.
    """
    with capture.told(len(jobs)):
        group = Group(jobs, build)
    recipe = jobs[0].recipe
    states: list[State | None] = [job.start or State(0, math.nan, {}) for job in jobs]
    live = {k: state.epochs for k, state in enumerate(states) if state and state.epochs < recipe.epochs}
    error: IntegrityError | None = None
    group.run(live, group.draw(live))
    total = recipe.epochs * group.images
    while live:
        coming = {k: epoch + 1 for k, epoch in live.items() if epoch + 1 < recipe.epochs}
        drawn = group.draw(coming)
        found = {k: group.branches[k].state(epoch) for k, epoch in live.items()}
        for k, state in list(found.items()):
            if not math.isfinite(state.loss):
                error = error or loop.diverged(jobs[k], live[k], state.loss)
                states[k] = None
                del found[k]
                coming.pop(k, None)
        group.run(coming, drawn)
        for k, state in found.items():
            states[k] = state
            save(k, state)
        progress(sum((state.epochs if state else recipe.epochs) * group.images for state in states), len(jobs) * total)
        live = coming
    return Ended(states, error)


class Group:
    """The branches of one graph, and what launches them."""

    def __init__(self, jobs: Sequence[Job], build: Build = capture.recorded) -> None:
        data, labels = shared(jobs[0])
        steps = max(1, len(labels) // jobs[0].recipe.batch)
        self.chunk = max(size for size in range(1, CHUNK + 1) if steps % size == 0)
        self.branches = [Branch(job, data, labels, self.chunk) for job in jobs]
        self.steps, self.images = steps, steps * self.branches[0].size
        self.launch = build(self.branches, self.chunk)

    def draw(self, epochs: dict[int, int]) -> dict[int, Drawn]:
        """What the epochs of some branches need from the host."""
        return {k: self.branches[k].draw(epoch) for k, epoch in epochs.items()}

    def run(self, epochs: dict[int, int], drawn: dict[int, Drawn]) -> None:
        """Start an epoch of these branches, without waiting; the others do steps that nobody reads."""
        if not epochs:
            return
        for k, epoch in epochs.items():
            self.branches[k].begin(epoch, drawn[k])
        for start in range(0, self.steps, self.chunk):
            for k in epochs:
                self.branches[k].feed(start)
            self.launch()


def shared(job: Job) -> tuple[Augmenter, Tensor]:
    """The training set and its labels on the device, once for all branches."""
    images = torch.from_numpy(job.samples.images).to(job.device)
    return augmenter(images, job.preprocess, job.recipe.augment), torch.from_numpy(job.samples.labels).to(job.device)

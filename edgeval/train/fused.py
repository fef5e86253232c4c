"""Train several seeds of one small network at once, with the results of training them one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from edgeval.errors import IntegrityError
from edgeval.train import fuse, loop
from edgeval.train.augment import Augmenter, augmenter
from edgeval.train.loop import Job, Progress, State

REPORT_STEPS = 10


@dataclass(frozen=True)
class Ended:
    """The last state of each job, None for those that diverged; and what the first of these ended with."""

    states: list[State | None]
    error: IntegrityError | None


def train(jobs: Sequence[Job], *, save: Callable[[int, State], None], progress: Progress) -> Ended:
    """Train jobs that differ in nothing but net weights, seed and start.

    Every seed sees the batches and augmentations that the plain loop would give it. `save(k, state)` is called for
    each job after each epoch. All starts must have the same number of epochs. A seed that diverges does not touch the
    others, and is not saved any more.
    """
    first = jobs[0]
    net = fuse.fuse([job.net for job in jobs]).to(first.device)
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = loop.sgd(net, first.recipe)
    starts = [job.start or State(0, math.nan, {}) for job in jobs]
    states: list[State | None] = list(starts)
    error: IntegrityError | None = None
    if first.start:
        _restore(net, optimizer, starts)
    images = torch.from_numpy(first.samples.images).to(first.device)
    labels = torch.from_numpy(first.samples.labels).to(first.device)
    data = augmenter(images, first.preprocess, first.recipe.augment)
    for epoch in range(starts[0].epochs, first.recipe.epochs):
        for group in optimizer.param_groups:
            group["lr"] = loop.cosine(first.recipe, epoch)
        losses = _epoch(_Epoch(jobs, net, optimizer, data, labels, epoch), progress)
        for k, (loss, parts) in enumerate(zip(losses, _tensors(net, optimizer, len(jobs)), strict=True)):
            if not math.isfinite(loss):
                states[k], error = None, error or loop.diverged(jobs[k], epoch, loss)
            elif states[k] is not None:
                states[k] = state = State(epoch + 1, loss, parts)
                save(k, state)
        if not any(states):
            break
    return Ended(states, error)


@dataclass(frozen=True)
class _Epoch:
    """All that one epoch needs."""

    jobs: Sequence[Job]
    net: nn.Module
    optimizer: torch.optim.SGD
    data: Augmenter
    labels: Tensor
    number: int


def _epoch(epoch: _Epoch, progress: Progress) -> list[float]:
    """One pass of every seed over the data in its own order; the mean loss of each."""
    jobs, recipe, count = epoch.jobs, epoch.jobs[0].recipe, len(epoch.labels)
    orders = [loop.Order(job.seed, epoch.number, count) for job in jobs]
    torch.manual_seed(loop.mix(jobs[0].seed, epoch.number) + 1)
    steps = max(1, count // recipe.batch)
    total = torch.zeros(len(jobs), device=epoch.labels.device)
    epoch.net.train()
    for step in range(steps):
        indices = [order.batch(step, recipe.batch) for order in orders]
        images = torch.cat(
            [epoch.data.batch(index, order.generator) for index, order in zip(indices, orders, strict=True)], dim=1
        ).contiguous(memory_format=torch.channels_last)
        targets = torch.stack([epoch.labels[index.to(epoch.labels.device)] for index in indices], dim=1)
        with loop.lowered(jobs[0]):
            losses = side_by_side_loss(epoch.net(images), targets)
        epoch.optimizer.zero_grad(set_to_none=True)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        epoch.optimizer.step()
        total += losses.detach()
        if (step + 1) % REPORT_STEPS == 0 or step + 1 == steps:
            progress((epoch.number * steps + step + 1) * recipe.batch, recipe.epochs * steps * recipe.batch)
    return [float(value) / steps for value in total]


def side_by_side_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """(K,) mean cross-entropy of each network; logits: (B, K x classes), targets: (B, K)."""
    batch, count = targets.shape
    rows = logits.reshape(batch * count, -1)
    losses = nn.functional.cross_entropy(rows, targets.reshape(-1), reduction="none")
    return losses.reshape(batch, count).mean(dim=0)


def _tensors(net: nn.Module, optimizer: torch.optim.SGD, count: int) -> list[dict[str, Tensor]]:
    """The tensors of each network's state, named as the plain loop names them."""
    parts: list[dict[str, Tensor]] = [{} for _ in range(count)]
    for name, tensor in loop.tensors(net, optimizer).items():
        for mine, part in zip(parts, fuse.split(net, name.partition(".")[2], tensor, count), strict=True):
            mine[name] = part.clone().contiguous()
    return parts


def _restore(net: nn.Module, optimizer: torch.optim.SGD, states: Sequence[State]) -> None:
    """Put saved states of the single networks back."""
    names = states[0].tensors
    joined = {name: fuse.join(net, name.partition(".")[2], [state.tensors[name] for state in states]) for name in names}
    loop.restore(net, optimizer, replace(states[0], tensors=joined))

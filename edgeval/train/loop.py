"""The plain training loop: one network, one seed, resumable after every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edgeval.errors import IntegrityError
from edgeval.records.artifact import Preprocess
from edgeval.records.ladder import Recipe
from edgeval.tasks.samples import Samples
from edgeval.train.augment import Augmenter, augmenter

Progress = Callable[[int, int], None]
REPORT_STEPS = 10


@dataclass(frozen=True)
class State:
    """Training after some epochs: tensors named `net.*` and `momentum.*`, on the CPU."""

    epochs: int
    loss: float
    tensors: dict[str, Tensor]


@dataclass(frozen=True)
class Job:
    """What is trained on what; `start` resumes from a saved state."""

    net: nn.Module
    samples: Samples
    preprocess: Preprocess
    recipe: Recipe
    seed: int
    device: str = "cpu"
    start: State | None = None
    name: str = ""


def train(job: Job, *, save: Callable[[State], None], progress: Progress) -> State:
    """Train to the recipe's last epoch and return that state; `save` is called after each epoch.

    The same seed on the same machine gives the same weights, also when training was cut and resumed.
    """
    net = job.net.to(job.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = sgd(net, job.recipe)
    state = job.start or State(0, math.nan, {})
    if job.start:
        restore(net, optimizer, job.start)
    images = torch.from_numpy(job.samples.images).to(job.device)
    labels = torch.from_numpy(job.samples.labels).to(job.device)
    data = augmenter(images, job.preprocess, job.recipe.augment)
    for epoch in range(state.epochs, job.recipe.epochs):
        for group in optimizer.param_groups:
            group["lr"] = cosine(job.recipe, epoch)
        loss = _epoch(_Epoch(job, net, optimizer, data, labels, epoch), progress)
        if not math.isfinite(loss):
            raise diverged(job, epoch, loss)
        state = State(epoch + 1, loss, tensors(net, optimizer))
        save(state)
    return state


def diverged(job: Job, epoch: int, loss: float) -> IntegrityError:
    """What to say of a seed whose loss is no number any more."""
    hint = f"lower lr (now {job.recipe.lr:g}) in the ladder card and train again"
    which = f"{job.name} seed {job.seed}".strip()
    return IntegrityError(f"the training loss became {loss} in epoch {epoch + 1}", seen=which, hint=hint)


def cosine(recipe: Recipe, epoch: int) -> float:
    """Learning rate of an epoch (from 0): cosine from lr to lr_min over all epochs."""
    return recipe.lr_min + (recipe.lr - recipe.lr_min) * (1 + math.cos(math.pi * epoch / recipe.epochs)) / 2


@dataclass(frozen=True)
class _Epoch:
    """All that one epoch needs."""

    job: Job
    net: nn.Module
    optimizer: torch.optim.SGD
    data: Augmenter
    labels: Tensor
    number: int


class Order:
    """The shuffled order of one seed in one epoch, and the generator of its augmentations."""

    def __init__(self, seed: int, epoch: int, count: int) -> None:
        self.generator = torch.Generator().manual_seed(mix(seed, epoch))
        self.order = torch.randperm(count, generator=self.generator)

    def batch(self, step: int, size: int) -> Tensor:
        """(size,) indices of a step."""
        return self.order[step * size : (step + 1) * size]


def _epoch(epoch: _Epoch, progress: Progress) -> float:
    """One pass over the shuffled data; the mean loss. Seeded by (seed, epoch), so a resumed run repeats it exactly."""
    job, count, batch = epoch.job, len(epoch.labels), epoch.job.recipe.batch
    order = Order(job.seed, epoch.number, count)
    torch.manual_seed(mix(job.seed, epoch.number) + 1)
    steps = max(1, count // batch)
    total = torch.zeros((), device=epoch.labels.device)
    epoch.net.train()
    for step in range(steps):
        index = order.batch(step, batch)
        images = epoch.data.batch(index, order.generator)
        with lowered(job):
            loss = nn.functional.cross_entropy(epoch.net(images), epoch.labels[index.to(epoch.labels.device)])
        epoch.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        epoch.optimizer.step()
        total += loss.detach()
        if (step + 1) % REPORT_STEPS == 0 or step + 1 == steps:
            progress((epoch.number * steps + step + 1) * batch, job.recipe.epochs * steps * batch)
    return float(total) / steps


def lowered(job: Job) -> torch.autocast:
    """Convolutions and linear layers in bfloat16 where the recipe says so; weights and statistics stay float32."""
    return torch.autocast(job.device.partition(":")[0], torch.bfloat16, enabled=job.recipe.precision == "bf16")


def sgd(net: nn.Module, recipe: Recipe) -> torch.optim.SGD:
    """SGD on all parameters, batch norm and biases included (PAPERS 1.2)."""
    return torch.optim.SGD(net.parameters(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay)


def mix(seed: int, epoch: int) -> int:
    """A generator seed of its own for each pair of seed and epoch."""
    return (seed * 1_000_003 + epoch * 2 + 17) % 2**62


def tensors(net: nn.Module, optimizer: torch.optim.SGD) -> dict[str, Tensor]:
    """Copies of weights, running statistics and momentum on the CPU."""
    found = {f"net.{name}": value for name, value in net.state_dict().items()}
    for name, parameter in net.named_parameters():
        momentum = optimizer.state[parameter].get("momentum_buffer")
        if momentum is not None:
            found[f"momentum.{name}"] = momentum
    return {name: value.detach().to("cpu", copy=True).contiguous() for name, value in found.items()}


def restore(net: nn.Module, optimizer: torch.optim.SGD, state: State) -> None:
    """Put a saved state back into network and optimiser."""
    net.load_state_dict(weights(state))
    for name, parameter in net.named_parameters():
        momentum = state.tensors.get(f"momentum.{name}")
        if momentum is not None:
            optimizer.state[parameter]["momentum_buffer"] = momentum.to(parameter.device).clone()


def weights(state: State) -> dict[str, Tensor]:
    """The network's own tensors of a state."""
    return {name[4:]: value for name, value in state.tensors.items() if name.startswith("net.")}

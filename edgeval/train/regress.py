"""The loop of a regressor: AdamW on the squared error, a fixed number of updates, the weights of its best check."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgeval.errors import IntegrityError
from edgeval.records.artifact import Preprocess
from edgeval.records.fit import Fit
from edgeval.tasks.quantities import Quantities
from edgeval.train.augment import normalise
from edgeval.train.loop import Order
from edgeval.train.predict import logits

Progress = Callable[[int, int], None]
Draw = Callable[[Tensor], Tensor]
PREPARED_BYTES = 2**30  # of network input that is made once and kept
BETTER = 1e-3  # of the best error: what a check must gain for the plateau to count as left
MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class State:
    """Training after some updates: tensors `net.*`, `best.*` and AdamW's moments, on the CPU.

    rate: the learning rate from here on; best: the lowest validation error and the update it was found at; plateau: the
    lowest that counted as progress; since: checks since that.
    """

    update: int
    rate: float
    loss: float
    best: float
    best_update: int
    plateau: float
    since: int
    tensors: dict[str, Tensor]


@dataclass(frozen=True)
class Job:
    """What is fitted to what; `start` resumes from a saved state. updates: of this run, at a first rate of `rate`."""

    net: nn.Module
    train: Quantities
    validation: Quantities
    preprocess: Preprocess
    recipe: Fit
    rate: float
    updates: int
    seed: int
    device: str = "cpu"
    start: State | None = None

    @property
    def check_every(self) -> int:
        """Updates between two looks at the validation part."""
        return max(1, self.updates // self.recipe.checks)


def fit(job: Job, *, save: Callable[[State], None], progress: Progress) -> State:
    """Train to the last update and return that state; `save` is called after each look at the validation part.

    The same seed on the same machine gives the same weights, also when training was cut and resumed.
    """
    net = job.net.to(job.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(net.parameters(), lr=job.rate, weight_decay=job.recipe.weight_decay, fused=True)
    state = job.start or State(0, job.rate, math.nan, math.inf, 0, math.inf, 0, {})
    if job.start:
        _restore(net, optimizer, job.start)
    draw = _inputs(job)
    targets = torch.from_numpy(job.train.targets.astype(np.float32)).to(job.device)
    while state.update < job.updates:
        stop = min(state.update + job.check_every, job.updates)
        total = torch.zeros((), device=job.device)
        _train_mode(net, frozen=state.update >= job.recipe.freeze_norms * job.updates)
        for update in range(state.update, stop):
            for group in optimizer.param_groups:
                group["lr"] = rate_at(job, state.rate, update)
            total += _step(job, net, optimizer, (draw, targets), update)
        progress(stop * job.recipe.batch, job.updates * job.recipe.batch)
        loss, checked = float(total) / (stop - state.update), float(validation_mse(net, job).mean())
        if not math.isfinite(loss) or not math.isfinite(checked):
            hint = f"leave {job.rate:g} out of rates in the ladder card's [regression]"
            raise IntegrityError(f"the loss became {loss} before update {stop}", seen=f"seed {job.seed}", hint=hint)
        state = _checked(job, state, (stop, loss, checked), _tensors(net, optimizer))
        save(state)
    return state


def rate_at(job: Job, rate: float, update: int) -> float:
    """The learning rate of an update (from 0): cosine from `rate` to 0, or what the plateau has left of it."""
    if job.recipe.schedule == "plateau":
        return rate
    return job.rate * (1 + math.cos(math.pi * update / job.updates)) / 2


def validation_mse(net: nn.Module, job: Job) -> NDArray[np.float64]:
    """(outputs,) mean squared errors on the validation part."""
    return mse(net, job.validation, job.preprocess, job.device)


def mse(net: nn.Module, data: Quantities, preprocess: Preprocess, device: str = "cpu") -> NDArray[np.float64]:
    """(outputs,) mean squared errors of a network on these data."""
    errors = logits(net, data.samples, preprocess, device).astype(np.float64) - data.targets
    return np.asarray((errors**2).mean(axis=0))


def best_weights(state: State) -> dict[str, Tensor]:
    """The network's own tensors at its best check."""
    return {name[5:]: value for name, value in state.tensors.items() if name.startswith("best.")}


def _inputs(job: Job) -> Draw:
    """How a batch of network input is drawn: from input that was made once, or from pixels where that is too much."""
    images = torch.from_numpy(np.ascontiguousarray(job.train.samples.images)).to(job.device)
    if 4 * images.numel() > PREPARED_BYTES:
        return lambda index: normalise(images[index], job.preprocess)
    convolves = any(isinstance(module, nn.Conv2d) for module in job.net.modules())
    layout = torch.channels_last if convolves else torch.contiguous_format
    made = normalise(images, job.preprocess).contiguous(memory_format=layout)
    return lambda index: made[index]


def _train_mode(net: nn.Module, *, frozen: bool) -> None:
    """Training, with batch norms that go on measuring their batches, or that keep the statistics they have."""
    net.train()
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.train(not frozen)


def _step(job: Job, net: nn.Module, optimizer: torch.optim.AdamW, data: tuple[Draw, Tensor], update: int) -> Tensor:
    """One update on its batch, which depends on the seed and the update alone; the loss."""
    draw, targets = data
    size = min(job.recipe.batch, len(targets))
    steps = len(targets) // size
    index = _order(job.seed, update // steps, len(targets)).batch(update % steps, size).to(targets.device)
    loss = nn.functional.mse_loss(net(draw(index)), targets[index])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.detach()


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> Order:
    """The shuffled order of one pass over the training set."""
    return Order(seed, epoch, count)


def _checked(job: Job, before: State, found: tuple[int, float, float], now: dict[str, Tensor]) -> State:
    """The state after a look at the validation part (update, loss, error): best weights so far, the plateau's rate."""
    update, loss, checked = found
    if checked < before.best:
        best, at = {f"best.{name[4:]}": value.clone() for name, value in now.items() if name.startswith("net.")}, update
    else:
        best, at = (
            {name: value for name, value in before.tensors.items() if name.startswith("best.")},
            before.best_update,
        )
    lower = checked < before.plateau * (1 - BETTER)
    since, rate = 0 if lower else before.since + 1, before.rate
    if since >= job.recipe.patience and job.recipe.schedule == "plateau":
        since, rate = 0, rate / 2
    plateau = checked if lower else before.plateau
    return State(update, rate, loss, min(checked, before.best), at, plateau, since, now | best)


def _tensors(net: nn.Module, optimizer: torch.optim.AdamW) -> dict[str, Tensor]:
    """Copies of weights, running statistics and AdamW's moments on the CPU."""
    found = {f"net.{name}": value for name, value in net.state_dict().items()}
    for name, parameter in net.named_parameters():
        for moment in ("step", *MOMENTS):
            found[f"{moment}.{name}"] = optimizer.state[parameter][moment]
    return {name: value.detach().to("cpu", copy=True).contiguous() for name, value in found.items()}


def _restore(net: nn.Module, optimizer: torch.optim.AdamW, state: State) -> None:
    """Put a saved state back into network and optimiser, in the network's memory layout: fused AdamW pairs weights and
    moments by place in memory."""
    net.load_state_dict({name[4:]: value for name, value in state.tensors.items() if name.startswith("net.")})
    for name, parameter in net.named_parameters():
        moments = {m: torch.empty_like(parameter).copy_(state.tensors[f"{m}.{name}"]) for m in MOMENTS}
        optimizer.state[parameter] = {"step": state.tensors[f"step.{name}"].clone(), **moments}

"""One regressor in a child process: its learning rate picked, or its weights trained, from where either was cut."""

from __future__ import annotations

import platform
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeval import __version__
from edgeval.errors import InputError, IntegrityError
from edgeval.records.checkpoint import CheckpointCard
from edgeval.records.fit import Fit, Fitted, Found
from edgeval.records.reporter import Progress
from edgeval.store import Store, file_sha256, key
from edgeval.workflow.data import Need, build_net, preprocess_of, task_name
from edgeval.workflow.measured import load_part
from edgeval.workflow.rungjob import STATE, RungJob

if TYPE_CHECKING:
    from edgeval.train.regress import Job, State


@dataclass(frozen=True)
class FitJob(RungJob):
    """One rung and seed of a regressor, as a child process gets it.

    mark: a hash of all that decides its weights, but the seed and the rate that is picked.
    """

    @property
    def search(self) -> Path:
        """Where the rung's learning rate is searched, and kept: one for all seeds."""
        return self.folder.with_name(f"{self.rung.name}-search")

    @property
    def needs(self) -> tuple[Need, ...]:
        return ("train", self.rung.images), ("validation", None)

    def luggage(self) -> list[Path]:
        """What a job on another machine goes on from: the rate, or what its search has saved, and the saved check."""
        return [*super().luggage(), *self.search.glob("rates.json"), *self.search.glob("*.safetensors")]

    @property
    def search_mark(self) -> str:
        """A hash of all that decides which rate is picked."""
        return key(self.mark, self.recipe.rates, self.recipe.searched, self.ladder.seeds[0])

    def searches(self, other: Fit) -> bool:
        """Whether another recipe picks its rate in the same way."""
        return (self.recipe.rates, self.recipe.searched) == (other.rates, other.searched)

    @property
    def recipe(self) -> Fit:
        assert self.ladder.regression is not None
        return self.ladder.regression


def found_rate(job: FitJob) -> Found | None:
    """The learning rate that was picked for this rung, None where it was not yet, or otherwise than now."""
    path = job.search / "rates.json"
    if not path.exists():
        return None
    found = Store(job.root).read_record(Found, path)
    return found if found.mark == job.search_mark else None


def search_rate(job: FitJob, progress: Progress) -> None:
    """In a child process: short runs with each rate, and the one whose validation error is lowest. Kept as it goes."""
    store, tried, rates = Store(job.root), dict[str, float](), job.recipe.rates
    for k, rate in enumerate(rates if len(rates) > 1 else ()):
        error = _short_run(job, rate, partial(_shifted, progress, k, len(rates)))
        if error is not None:
            tried[f"{rate:g}"] = error
    if len(rates) > 1 and not tried:
        hint = "give smaller rates in the card's [regression]"
        raise IntegrityError(f"training {job.rung.name} diverges with every rate", seen=rates, hint=hint)
    best = float(min(tried, key=lambda name: tried[name])) if tried else rates[0]
    store.write_record(job.search / "rates.json", Found(rate=best, tried=tried, mark=job.search_mark))
    for path in job.search.glob("*.safetensors"):
        path.unlink(missing_ok=True)


def _shifted(progress: Progress, before: int, runs: int, done: int, total: int) -> None:
    """Progress of one of several equally long runs."""
    progress(before * total + done, runs * total)


def _short_run(job: FitJob, rate: float, progress: Progress) -> float | None:
    """The lowest validation error of a short run at this rate; None where it diverges."""
    from edgeval.train import regress

    path, mark = job.search / f"{rate:g}.safetensors", key(job.search_mark, rate)
    asked = _job(job, rate, job.recipe.searched, _saved(path, mark))
    try:
        state = regress.fit(asked, save=lambda state: _save(Store(job.root), path, mark, state), progress=progress)
    except IntegrityError:
        return None
    return state.best


def fit_rung(job: FitJob, progress: Progress) -> None:
    """In a child process: train one rung from its last saved check and write the checkpoint of its best one."""
    from edgeval.train import regress

    store, path = Store(job.root), job.folder / STATE
    picked = store.read_record(Found, job.search / "rates.json")
    mark = key(job.mark, job.seed, picked.rate)
    asked = _job(job, picked.rate, job.recipe.updates, None if job.overwrite else _saved(path, mark))
    state = regress.fit(asked, save=lambda state: _save(store, path, mark, state), progress=progress)
    asked.net.load_state_dict(regress.best_weights(state))
    _write(job, asked, state, picked)
    path.unlink(missing_ok=True)


def _job(job: FitJob, rate: float, updates: int, start: State | None) -> Job:
    """What the loop needs: the freshly initialised network, its data, and where it was cut."""
    import torch

    from edgeval.train import device, regress

    torch.set_num_threads(job.threads)
    device.settle(job.device)
    train, validation = load_part(job.ladder, "train", job.rung.images), load_part(job.ladder, "validation")
    if train.output_names != validation.output_names:
        seen = f"{', '.join(train.output_names)} and {', '.join(validation.output_names)}"
        raise InputError("training and validation data measure different things", seen=seen)
    torch.manual_seed(job.seed)
    net = build_net(job.ladder, job.rung, len(train.output_names), train.samples.images.shape[1:])
    preprocess = preprocess_of(job.ladder)
    return regress.Job(net, train, validation, preprocess, job.recipe, rate, updates, job.seed, job.device, start)


def _write(job: FitJob, asked: Job, state: State, picked: Found) -> None:
    """Write the finished checkpoint with its card."""
    import torch
    from safetensors.torch import save

    from edgeval.nets import count_parameters
    from edgeval.train.device import versions
    from edgeval.train.regress import validation_mse

    made = {"edgeval": __version__, "torch": torch.__version__, "python": platform.python_version()}
    store, net = Store(job.root), asked.net
    errors = tuple(validation_mse(net, asked).tolist())
    path = store.write(
        job.folder / "checkpoint.safetensors",
        save({name: value.to("cpu").contiguous() for name, value in net.state_dict().items()}),
    )
    height, width, channels = asked.train.samples.images.shape[1:]
    card = CheckpointCard(
        ladder=job.ladder.name,
        rung=job.rung.name,
        width=job.rung.width,
        seed=job.seed,
        params=count_parameters(net),
        recipe=None,
        fit=Fitted(
            recipe=job.recipe,
            images=len(asked.train),
            rate=picked.rate,
            tried=picked.tried,
            best_update=state.best_update,
            validation_mse=errors,
        ),
        task=task_name(job.ladder),
        data_sha256=asked.train.sha256,
        preprocess=asked.preprocess,
        class_names=asked.train.output_names,
        input_shape=(height, width, channels),
        final_loss=state.loss,
        device=job.device.partition(":")[0],
        versions=made | versions(job.device),
        sha256=file_sha256(path),
        mark=job.mark,
    )
    store.write_record(job.folder / "checkpoint.json", card)


def _save(store: Store, path: Path, mark: str, state: State) -> None:
    """Keep the state after a check."""
    from safetensors.torch import save

    numbers = {f.name: repr(getattr(state, f.name)) for f in fields(state) if f.name != "tensors"}
    store.write(path, save(state.tensors, metadata=numbers | {"mark": mark}))


def _saved(path: Path, mark: str) -> State | None:
    """The state of an interrupted run of the same job, or None."""
    from safetensors import SafetensorError, safe_open

    from edgeval.train.regress import State

    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            told = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError):
        return None
    if told.pop("mark", None) != mark:
        return None
    whole = {"update": int, "best_update": int, "since": int}
    numbers: dict[str, Any] = {name: whole.get(name, float)(text) for name, text in told.items()}
    return State(tensors=tensors, **numbers)

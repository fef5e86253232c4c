"""Train the rungs of a ladder, each in a process of its own, resumable, and keep every checkpoint."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeval import __version__
from edgeval.errors import CardError, InputError
from edgeval.records.artifact import Preprocess
from edgeval.records.checkpoint import CheckpointCard
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.reporter import Progress, Reporter
from edgeval.store import Store, file_sha256, key
from edgeval.workflow import jobs
from edgeval.workflow.data import build_net, load_split, need, preprocess_of, task_name

if TYPE_CHECKING:
    from torch import nn

    from edgeval.tasks.samples import Samples
    from edgeval.train.loop import State


@dataclass(frozen=True)
class TrainOptions:
    """What the user may change: epochs and seeds of the recipe, which rungs, where, how many at once."""

    rungs: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    epochs: int | None = None
    batch: int | None = None
    device: str = "auto"
    workers: int | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class RungJob:
    """One rung and seed, as a child process gets it."""

    ladder: Ladder
    rung: Rung
    seed: int
    root: Path
    device: str
    threads: int
    overwrite: bool
    mark: str

    @property
    def folder(self) -> Path:
        return Store(self.root).rung(self.ladder.name, self.rung.name, self.seed)


def train(ladder: Ladder, options: TrainOptions, store: Store, reporter: Reporter) -> list[CheckpointCard]:
    """Train what is not trained yet; cards of all asked rungs. Errors of single rungs are raised after the others."""
    need("torch", "train")
    store.open()
    ladder = with_recipe(ladder, options)
    data = load_split(ladder, "train", reporter.bar(f"data of {task_name(ladder)}", ""))  # before the workers start
    asked = _jobs(ladder, options, store, data.sha256)
    todo = [job for job in asked if not _done(job, store)]
    tasks = [_task(job, reporter) for job in todo]
    workers = options.workers or (1 if _device(options.device) == "cuda" else jobs.cores())
    errors = [outcome.error for outcome in jobs.run(tasks, workers) if outcome.error]
    if errors:
        raise errors[0]
    cards = [store.checkpoint(job.folder) for job in asked]
    return [found[1] for found in cards if found]


def with_recipe(ladder: Ladder, options: TrainOptions) -> Ladder:
    """The ladder with the recipe that was asked for; a changed recipe is a protocol with its own name."""
    recipe = ladder.train
    changes: dict[str, Any] = {}
    if options.epochs and options.epochs != recipe.epochs:
        changes["epochs"] = options.epochs
    if options.batch and options.batch != recipe.batch:
        changes["batch"] = options.batch
    if changes:
        said = ", ".join(f"{value} epochs" if name == "epochs" else f"batch {value}" for name, value in changes.items())
        changes["protocol"] = f"{recipe.protocol}, {said}"
    copy = ladder.model_copy(update={"train": recipe.model_copy(update=changes)})
    copy._path, copy._explicit = ladder.path, ladder.explicit
    return copy


def _jobs(ladder: Ladder, options: TrainOptions, store: Store, data: str) -> list[RungJob]:
    """Asked rungs and seeds, the largest rung first: it takes longest."""
    rungs = [ladder.rung(name) for name in options.rungs] or list(ladder.rungs)
    seeds = options.seeds or ladder.train.seeds
    device = _device(options.device)
    threads = jobs.cores() if (options.workers or 0) == 1 or len(rungs) * len(seeds) == 1 else 1
    return [
        RungJob(ladder, rung, seed, store.root, device, threads, options.overwrite, _mark(ladder, rung, seed, data))
        for rung in sorted(rungs, key=lambda rung: -rung.width)
        for seed in seeds
    ]


def _device(asked: str) -> str:
    """The torch device. Raises InputError when a GPU is asked for that is not there."""
    from edgeval.train.predict import best_device

    found = best_device()
    if asked == "cuda" and found != "cuda":
        raise InputError("torch sees no GPU", seen="--device cuda", hint="use --device cpu")
    return found if asked == "auto" else asked


def _done(job: RungJob, store: Store) -> bool:
    """Whether this rung is trained already. Raises InputError if it was trained differently."""
    if job.overwrite:
        return False
    found = store.checkpoint(job.folder)
    if found is None:
        return False
    if found[1].mark != job.mark:
        raise InputError(
            f"{job.folder} holds a rung trained by another protocol, or on other data, or another network",
            seen=found[1].recipe.protocol if found[1].recipe else "weights that were given",
            hint="choose another --runs DIR, or --overwrite",
        )
    return True


def _mark(ladder: Ladder, rung: Rung, seed: int, data: str) -> str:
    """A hash of all that decides a rung's weights: recipe, data, preprocessing, network, width, seed, given weights."""
    recipe = ladder.train.model_dump(exclude={"protocol", "seeds"})
    net = ladder.net.model_dump(exclude={"widths"})
    given = file_sha256(_weights_file(ladder, rung)) if ladder.net.checkpoint else ""
    return key(recipe, data, preprocess_of(ladder), net, rung.width, seed, given)


def _weights_file(ladder: Ladder, rung: Rung) -> Path:
    """The weights that the card names for a rung. Raises CardError."""
    template = ladder.net.checkpoint or ""
    if "{width}" not in template and len(ladder.net.widths) > 1:
        raise CardError("one checkpoint cannot serve several widths", seen=template, hint="write {width} into its name")
    path = ladder.beside(template.replace("{width}", f"{rung.width:g}"))
    if not path.is_file():
        raise CardError("the card names weights that are not there", seen=path, hint="check checkpoint in its [net]")
    return path


def _task(job: RungJob, reporter: Reporter) -> jobs.Task:
    """The job with a progress line of its own."""
    bar = reporter.bar(f"train {job.rung.name} seed {job.seed}")
    return jobs.Task(train_rung, job, bar, job.folder / "train.log")


def train_rung(job: RungJob, progress: Progress) -> None:
    """In a child process: train one rung from its last saved epoch and write its checkpoint."""
    import torch

    torch.set_num_threads(job.threads)
    if job.ladder.net.checkpoint:
        return adopt(job)
    samples = load_split(job.ladder, "train", lambda done, total: None)
    from edgeval.train import loop

    torch.manual_seed(job.seed)
    net = build_net(job.ladder, job.rung, len(samples.class_names), samples.images.shape[3])
    start = None if job.overwrite else _saved_state(job.folder, job.mark)
    preprocess = preprocess_of(job.ladder)
    work = loop.Job(net, samples, preprocess, job.ladder.train, job.seed, job.device, start)
    state = loop.train(work, save=lambda state: _save_state(job, state), progress=progress)
    net.load_state_dict(loop.weights(state))
    _write(job, net.cpu(), samples, preprocess, state.loss)
    (job.folder / "training.safetensors").unlink(missing_ok=True)
    return None


def adopt(job: RungJob) -> None:
    """Take the weights that the card names instead of training."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = _weights_file(job.ladder, job.rung)
    samples = load_split(job.ladder, "train", lambda done, total: None)
    net = build_net(job.ladder, job.rung, len(samples.class_names), samples.images.shape[3])
    try:
        net.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise CardError(f"the checkpoint {path} cannot be loaded", seen=str(error).splitlines()[0]) from error
    _write(job, net, samples, preprocess_of(job.ladder), None)


def _write(job: RungJob, net: nn.Module, samples: Samples, preprocess: Preprocess, loss: float | None) -> None:
    """Write the finished checkpoint with its card."""
    import torch
    from safetensors.torch import save

    from edgeval.nets import count_parameters

    store = Store(job.root)
    tensors = save({name: value.contiguous() for name, value in net.state_dict().items()})
    path = store.write(job.folder / "checkpoint.safetensors", tensors)
    height, width, channels = samples.images.shape[1:]
    card = CheckpointCard(
        ladder=job.ladder.name,
        rung=job.rung.name,
        width=job.rung.width,
        seed=job.seed,
        params=count_parameters(net),
        recipe=None if loss is None else job.ladder.train,
        task=task_name(job.ladder),
        data_sha256=samples.sha256,
        preprocess=preprocess,
        class_names=samples.class_names,
        input_shape=(height, width, channels),
        final_loss=loss,
        device=job.device,
        versions={"edgeval": __version__, "torch": torch.__version__, "python": platform.python_version()},
        sha256=file_sha256(path),
        mark=job.mark,
    )
    store.write_record(job.folder / "checkpoint.json", card)


def _save_state(job: RungJob, state: State) -> None:
    """Keep the state after an epoch."""
    from safetensors.torch import save

    metadata = {"epochs": str(state.epochs), "loss": repr(state.loss), "mark": job.mark}
    Store(job.root).write(job.folder / "training.safetensors", save(state.tensors, metadata=metadata))


def _saved_state(folder: Path, mark: str) -> State | None:
    """The state of an interrupted run of the same job, or None."""
    from safetensors import SafetensorError, safe_open

    from edgeval.train.loop import State

    path = folder / "training.safetensors"
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError):
        return None
    if metadata.get("mark") != mark:
        raise InputError(
            f"{folder} holds a half-trained rung of another protocol", hint="choose another --runs DIR, or --overwrite"
        )
    return State(int(metadata["epochs"]), float(metadata["loss"]), tensors)

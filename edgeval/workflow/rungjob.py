"""One rung and seed in a child process: trained from its last saved epoch, or given weights taken, and written."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeval import __version__
from edgeval.errors import CardError, InputError
from edgeval.records.artifact import Preprocess
from edgeval.records.checkpoint import CheckpointCard
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.reporter import Progress
from edgeval.store import Store, file_sha256
from edgeval.workflow.data import Need, build_net, load_split, preprocess_of, task_name

if TYPE_CHECKING:
    from torch import nn

    from edgeval.tasks.samples import Samples
    from edgeval.train.loop import Job, State

STATE = "training.safetensors"


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

    @property
    def needs(self) -> tuple[Need, ...]:
        return (("train", None),)

    @property
    def resumes(self) -> bool:
        return not self.overwrite

    def luggage(self) -> list[Path]:
        """What a job on another machine goes on from."""
        return [] if self.overwrite else [self.folder / STATE]


def weights_file(ladder: Ladder, rung: Rung) -> Path:
    """The weights that the card names for a rung. Raises CardError."""
    template = ladder.net.checkpoint or ""
    if "{width}" not in template and len(ladder.net.widths) > 1:
        raise CardError("one checkpoint cannot serve several widths", seen=template, hint="write {width} into its name")
    path = ladder.beside(template.replace("{width}", f"{rung.width:g}"))
    if not path.is_file():
        raise CardError("the card names weights that are not there", seen=path, hint="check checkpoint in its [net]")
    return path


def train_rung(job: RungJob, progress: Progress) -> None:
    """In a child process: train one rung from its last saved epoch and write its checkpoint."""
    import torch

    torch.set_num_threads(job.threads)
    if job.ladder.net.checkpoint:
        return adopt(job)
    samples = load_split(job.ladder, "train", lambda done, total: None)
    from edgeval.train import device, loop

    device.settle(job.device)
    state = loop.train(loop_job(job, samples), save=lambda state: save_state(job, state), progress=progress)
    return finish(job, samples, state)


def loop_job(job: RungJob, samples: Samples) -> Job:
    """What the training loop needs: the freshly initialised network, and where it was cut."""
    import torch

    from edgeval.train import loop

    torch.manual_seed(job.seed)
    net = build_net(job.ladder, job.rung, len(samples.class_names), samples.images.shape[1:])
    start = None if job.overwrite else saved_state(job.folder, job.mark)
    recipe, name = job.ladder.train, job.rung.name
    return loop.Job(net, samples, preprocess_of(job.ladder), recipe, job.seed, job.device, start, name)


def finish(job: RungJob, samples: Samples, state: State) -> None:
    """Write the checkpoint of the last epoch, and drop what was kept to go on from."""
    from edgeval.train import loop

    net = build_net(job.ladder, job.rung, len(samples.class_names), samples.images.shape[1:])
    net.load_state_dict(loop.weights(state))
    _write(job, net, samples, preprocess_of(job.ladder), state.loss)
    (job.folder / STATE).unlink(missing_ok=True)


def adopt(job: RungJob) -> None:
    """Take the weights that the card names instead of training."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = weights_file(job.ladder, job.rung)
    samples = load_split(job.ladder, "train", lambda done, total: None)
    net = build_net(job.ladder, job.rung, len(samples.class_names), samples.images.shape[1:])
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
    from edgeval.train.device import versions

    made = {"edgeval": __version__, "torch": torch.__version__, "python": platform.python_version()}
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
        device=job.device.partition(":")[0],
        versions=made | versions(job.device),
        sha256=file_sha256(path),
        mark=job.mark,
    )
    store.write_record(job.folder / "checkpoint.json", card)


def save_state(job: RungJob, state: State) -> None:
    """Keep the state after an epoch."""
    from safetensors.torch import save

    metadata = {"epochs": str(state.epochs), "loss": repr(state.loss), "mark": job.mark}
    Store(job.root).write(job.folder / STATE, save(state.tensors, metadata=metadata))


def saved_epochs(job: RungJob) -> int:
    """Epochs that an interrupted run of this job has saved; no weight is read."""
    about = None if job.overwrite else _about(job.folder, job.mark)
    return int(about["epochs"]) if about else 0


def saved_state(folder: Path, mark: str) -> State | None:
    """The state of an interrupted run of the same job, or None."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from edgeval.train.loop import State

    about = _about(folder, mark)
    if about is None:
        return None
    try:
        tensors = load_file(folder / STATE)
    except (SafetensorError, OSError):
        return None
    return State(int(about["epochs"]), float(about["loss"]), tensors)


def _about(folder: Path, mark: str) -> dict[str, str] | None:
    """What a saved state says of itself; None for none that can be read. Raises InputError for another job's."""
    from safetensors import SafetensorError, safe_open

    if not (folder / STATE).exists():
        return None
    try:
        with safe_open(folder / STATE, framework="pt") as file:
            found: dict[str, str] = file.metadata() or {}
    except (SafetensorError, OSError):
        return None
    if found.get("mark") != mark:
        hint = "choose another --runs DIR, or --overwrite"
        raise InputError(f"{folder} holds a half-trained rung of another protocol", hint=hint)
    return found

"""Export trained rungs to ONNX and TFLite, each checked against torch, and keep torch's own answers beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeval.errors import IntegrityError, MissingError
from edgeval.records.artifact import TORCH, ArtifactCard, Format, Profile, file_name
from edgeval.records.checkpoint import CheckpointCard
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.predictions import from_outputs
from edgeval.records.reporter import Progress, Reporter
from edgeval.store import Store
from edgeval.tasks.samples import Samples
from edgeval.workflow import jobs
from edgeval.workflow.answers import torch_source
from edgeval.workflow.data import Need, build_net, load_split, need
from edgeval.workflow.measured import load_part
from edgeval.workflow.torch_numbers import kept_values, write_torch_values
from edgeval.workflow.train import TrainOptions, train

if TYPE_CHECKING:
    from torch import nn

PARITY_IMAGES = 64
OLD_RUNTIMES: tuple[Format, ...] = ("tflite-int8",)  # what --for coral and tflite-runtime are about
NOTHING: Progress = lambda done, total: None  # noqa: E731


@dataclass(frozen=True)
class ExportOptions:
    """Which rungs and seeds, to which formats, for which family of runtimes."""

    rungs: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    formats: tuple[Format, ...] = ()
    profile: Profile = "litert"
    calibration_images: int | None = None
    workers: int | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class ExportJob:
    """One rung and seed, as a child process gets it."""

    ladder: Ladder
    rung: Rung
    seed: int
    root: Path
    options: ExportOptions

    @property
    def folder(self) -> Path:
        return Store(self.root).rung(self.ladder.name, self.rung.name, self.seed)

    @property
    def needs(self) -> tuple[Need, ...]:
        return ("train", self.rung.images), ("test", None)

    @property
    def resumes(self) -> bool:
        return not self.options.overwrite

    def luggage(self) -> list[Path]:
        """The checkpoint, and what was exported before."""
        return [path for path in self.folder.glob("*") if path.suffix != ".log" and not path.name.startswith(".")]

    @property
    def formats(self) -> tuple[Format, ...]:
        whole = self.ladder.export.formats if self.options.profile == "litert" else OLD_RUNTIMES
        return self.options.formats or whole

    def done(self) -> bool:
        """Whether every asked file is there, whole, and made from the checkpoint as it is now."""
        return all(self.has(fmt) for fmt in self.formats) and self.has_answers()

    def has(self, fmt: Format) -> bool:
        """Whether this format was exported from the checkpoint as it is now, with as many calibration images."""
        store = Store(self.root)
        found, trained = (
            store.artifact(self.folder, file_name(fmt, self.options.profile)),
            store.checkpoint(self.folder),
        )
        if self.options.overwrite or found is None or trained is None:
            return False
        calibration = found[1].calibration
        return found[1].checkpoint_sha256 == trained[1].sha256 and (calibration is None or self.takes(calibration.n))

    def takes(self, count: int) -> bool:
        """Whether it would calibrate with so many images: as many as are asked for, or all where there are fewer."""
        wanted = self.options.calibration_images or self.ladder.export.calibration_images
        if self.rung.images is not None:
            return count == min(wanted, self.rung.images)
        # fewer than asked can be right for small data only, which are soon counted
        return count == wanted or (
            count < wanted and count == len(calibration_images(self.ladder, self.options, self.rung))
        )

    def has_answers(self) -> bool:
        """Whether torch's answers are those of the checkpoint as it is now."""
        store = Store(self.root)
        path, trained = torch_table(store, self.ladder, self.rung, self.seed), store.checkpoint(self.folder)
        if self.options.overwrite or not path.exists() or trained is None:
            return False
        source = store.read_table(path).source if self.ladder.regression is None else kept_values(path).source
        return source.sha256 == trained[1].sha256


def export(
    ladder: Ladder, options: ExportOptions, store: Store, reporter: Reporter, pool: jobs.Pool = jobs.LOCAL
) -> list[ArtifactCard]:
    """Export what is not exported yet; the cards of all asked files. A failed parity stops the chain (exit 5)."""
    need("torch", "train")
    need("litert_torch", "export")
    store.open()
    todo = _jobs(ladder, options, store, reporter)
    tasks = [_task(job, reporter) for job in todo if not job.done()]
    errors = [outcome.error for outcome in pool.run(tasks, options.workers or pool.size()) if outcome.error]
    if errors:
        raise next((error for error in errors if isinstance(error, IntegrityError)), errors[0])
    found = [store.artifact(job.folder, file_name(fmt, options.profile)) for job in todo for fmt in job.formats]
    return [card for _, card in filter(None, found)]


def torch_table(store: Store, ladder: Ladder, rung: Rung, seed: int) -> Path:
    """Where torch's answers to the test set lie."""
    return store.rung(ladder.name, rung.name, seed) / f"{TORCH}.npz"


def _jobs(ladder: Ladder, options: ExportOptions, store: Store, reporter: Reporter) -> list[ExportJob]:
    """Asked rungs that are trained. Raises MissingError with the exact training command."""
    if ladder.net.checkpoint:
        train(ladder, TrainOptions(rungs=options.rungs, seeds=options.seeds, device="cpu"), store, reporter)
    rungs = [ladder.rung(name) for name in options.rungs] or list(ladder.rungs)
    found = [
        ExportJob(ladder, rung, seed, store.root, options)
        for rung in reversed(rungs)
        for seed in options.seeds or store.seeds(ladder.name, rung.name) or ([0] if options.rungs else [])
    ]
    trained = [job for job in found if store.checkpoint(job.folder)]
    missing = [job for job in found if job not in trained]
    if missing or not trained:
        what = f"{missing[0].rung.name} seed {missing[0].seed}" if missing else ", ".join(rung.name for rung in rungs)
        only = f" --rung {missing[0].rung.name} --seed {missing[0].seed}" if missing else ""
        only = only or "".join(f" --rung {name}" for name in options.rungs)
        hint = f"run: edgeval train {ladder.typed}{only}{store.flag}"
        raise MissingError(f"{ladder.name} has no trained checkpoint in {store.root}", seen=what, hint=hint)
    return trained


def _task(job: ExportJob, reporter: Reporter) -> jobs.Task:
    """The job with a progress line of its own; conversion is noisy, so its prints go to a log."""
    name = f"export {job.rung.name} seed {job.seed}"
    return jobs.Task(export_rung, job, reporter.bar(name, "files"), job.folder / "export.log", name)


def export_rung(job: ExportJob, progress: Progress) -> None:
    """In a child process: torch's answers first, then each format."""
    import torch

    from edgeval.export.convert import Request
    from edgeval.export.convert import export as convert

    torch.set_num_threads(1)
    store, folder = Store(job.root), job.folder
    net, card = load_net(store, job.ladder, job.rung, job.seed)
    total = len(job.formats) + 1
    test = keep_answers(store, job, net, card)
    progress(1, total)
    request = Request(
        module=net,
        name=f"{job.ladder.name}:{job.rung.name}:s{job.seed}",
        preprocess=card.preprocess,
        class_names=card.class_names,
        calibration=calibration_images(job.ladder, job.options, job.rung),
        check=test.take(np.arange(min(PARITY_IMAGES, len(test)))),
        profile=job.options.profile,
        outputs="logits" if job.ladder.regression is None else "values",
    )
    for done, fmt in enumerate(job.formats, start=2):
        if not job.has(fmt):
            data, made = convert(request, fmt)
            store.write_artifact(folder, data, made.model_copy(update={"checkpoint_sha256": card.sha256}))
        progress(done, total)


def keep_answers(store: Store, job: ExportJob, net: nn.Module, card: CheckpointCard) -> Samples:
    """The test images, after torch's answers to them are kept."""
    if job.ladder.regression is None:
        test = load_split(job.ladder, "test", NOTHING)
        write_torch_answers(store, job, net, card, test)
        return test
    measured = load_part(job.ladder, "test")
    if not job.has_answers():
        write_torch_values(torch_table(store, job.ladder, job.rung, job.seed), net, card, measured, store)
    return measured.samples


def load_net(store: Store, ladder: Ladder, rung: Rung, seed: int) -> tuple[nn.Module, CheckpointCard]:
    """The trained network in evaluation mode, with its card."""
    from safetensors.torch import load_file

    found = store.checkpoint(store.rung(ladder.name, rung.name, seed))
    if found is None:
        raise MissingError(
            "there is no checkpoint", seen=f"{rung.name} seed {seed}", hint=f"edgeval train {ladder.typed}"
        )
    path, card = found
    net = build_net(ladder, rung, len(card.class_names), card.input_shape)
    try:
        net.load_state_dict(load_file(path))
    except RuntimeError as error:
        hint = "the card's network has changed since; train again into another --runs DIR"
        raise IntegrityError(
            f"{path} does not fit the card's network", seen=str(error).splitlines()[0], hint=hint
        ) from error
    return net.eval(), card


def write_torch_answers(store: Store, job: ExportJob, net: nn.Module, card: CheckpointCard, test: Samples) -> None:
    """Keep the torch logits of the test set: what `compare` starts from, without torch."""
    from edgeval.train.predict import logits

    path = torch_table(store, job.ladder, job.rung, job.seed)
    if job.has_answers():
        return
    table = from_outputs(
        logits(net, test, card.preprocess),
        test.labels,
        kind="logits",
        class_names=test.class_names,
        ids=test.ids,
        source=torch_source(card, test.sha256),
    )
    store.write_table(path, table)


def calibration_images(ladder: Ladder, options: ExportOptions, rung: Rung) -> Samples:
    """The training images that set the int8 ranges: the first n of one seeded permutation of those of the rung."""
    numbers = ladder.regression is not None
    train_set = load_part(ladder, "train", rung.images).samples if numbers else load_split(ladder, "train", NOTHING)
    count = min(options.calibration_images or ladder.export.calibration_images, len(train_set))
    return train_set.take(np.random.default_rng(0).permutation(len(train_set))[:count])

"""Export a network that the user saved, without a ladder: by torch.export, or by Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeval.errors import InputError
from edgeval.records.artifact import USUAL, ArtifactCard, Format, Preprocess, Profile
from edgeval.records.kerasfile import check_keras, keras_form
from edgeval.records.reporter import Progress, Reporter
from edgeval.store import Store, file_safe
from edgeval.tasks.own import load_own
from edgeval.tasks.samples import Samples
from edgeval.workflow import jobs
from edgeval.workflow.data import need, preprocess_from
from edgeval.workflow.export import PARITY_IMAGES


@dataclass(frozen=True)
class ProgramJob:
    """A saved network, as the child process gets it. calibration: which images set the int8 ranges."""

    path: Path
    samples: Samples
    preprocess: Preprocess
    formats: tuple[Format, ...]
    profile: Profile
    calibration_images: int
    output: Path


def export_program(
    path: Path,
    calibrate: Path | None,
    output: Path,
    preprocess: Mapping[str, Any],
    given: Mapping[str, Any],
    reporter: Reporter,
) -> list[ArtifactCard]:
    """Every asked format of a .pt2 in the folder `output`, calibrated on images of the user."""
    by_keras = keras_form(path) is not None
    formats = _formats(given["formats"], by_keras)
    if calibrate is None:
        raise InputError("a saved model needs images that calibrate it", seen=path, hint="add --calibrate FOLDER")
    if by_keras:
        need("tensorflow", "tensorflow")
        check_keras(path)
    else:
        need("litert_torch", "export")
    made, images = preprocess_from(preprocess), load_own(calibrate, size=given.get("size"))
    job = ProgramJob(path, images, made, formats, given["profile"], given["calibration_images"] or 256, output)
    work = convert_keras if by_keras else convert_program
    task = jobs.Task(work, job, reporter.bar(f"export {path.name}", "files"), output / "export.log")
    (outcome,) = jobs.run([task], 1)
    if outcome.error:
        raise outcome.error
    cards: list[ArtifactCard] = outcome.result
    return cards


def convert_program(job: ProgramJob, progress: Progress) -> list[ArtifactCard]:
    """In a child process: load the program and write each format."""
    from edgeval.export.convert import Request
    from edgeval.export.convert import export as convert
    from edgeval.export.program import load_pt2

    calibration, check = _chosen(job)
    request = Request(
        module=load_pt2(job.path),
        name=job.path.stem,
        preprocess=job.preprocess,
        class_names=job.samples.class_names,
        calibration=calibration,
        check=check,
        profile=job.profile,
    )
    return _write(job, lambda fmt: convert(request, fmt), progress)


def convert_keras(job: ProgramJob, progress: Progress) -> list[ArtifactCard]:
    """In a child process, because TensorFlow is slow to start and noisy: load the model and write each format."""
    from edgeval.export.keras import KerasRequest, export_keras

    calibration, check = _chosen(job)
    form, names = check_keras(job.path), job.samples.class_names
    request = KerasRequest(job.path, form, job.preprocess, names, calibration, check, job.profile)
    return _write(job, lambda fmt: export_keras(request, fmt), progress)


def _formats(asked: tuple[Format, ...], by_keras: bool) -> tuple[Format, ...]:
    """The formats to write. Raises InputError for one that this converter does not make."""
    if not by_keras:
        return asked or USUAL
    made = tuple(fmt for fmt in USUAL if fmt.startswith("tflite"))
    wrong = next((fmt for fmt in asked if fmt not in made), None)
    if wrong:
        raise InputError(
            "Keras models are exported to TFLite fp32 and int8 only", seen=wrong, hint=f"choose from {', '.join(made)}"
        )
    return asked or made


def _chosen(job: ProgramJob) -> tuple[Samples, Samples]:
    """Images that calibrate, the first of one seeded permutation; and those that check."""
    order = np.random.default_rng(0).permutation(len(job.samples))
    return job.samples.take(order[: job.calibration_images]), job.samples.take(order[:PARITY_IMAGES])


def _write(
    job: ProgramJob, convert: Callable[[Format], tuple[bytes, ArtifactCard]], progress: Progress
) -> list[ArtifactCard]:
    """Each format with its card, in the folder of the job."""
    store, cards = Store(job.output), []
    for done, fmt in enumerate(job.formats, start=1):
        data, card = convert(fmt)
        card = card.model_copy(update={"file": f"{file_safe(job.path.stem)}-{card.file}"})
        store.write_artifact(job.output, data, card)
        cards.append(card)
        progress(done, len(job.formats))
    return cards

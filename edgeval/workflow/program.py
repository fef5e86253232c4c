"""Export a network that the user saved with torch.export, without a ladder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeval.errors import InputError
from edgeval.records.artifact import FORMATS, ArtifactCard, Format, Preprocess, Profile
from edgeval.records.reporter import Progress, Reporter
from edgeval.store import Store, file_safe
from edgeval.tasks.own import load_own
from edgeval.tasks.samples import Samples
from edgeval.workflow import jobs
from edgeval.workflow.data import need, preprocess_from
from edgeval.workflow.export import PARITY_IMAGES


@dataclass(frozen=True)
class ProgramJob:
    """A saved network, as the child process gets it."""

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
    need("litert_torch", "export")
    if calibrate is None:
        raise InputError("a .pt2 needs images that calibrate its int8 form", seen=path, hint="add --calibrate FOLDER")
    made = preprocess_from(preprocess)
    formats = given["formats"] or FORMATS
    job = ProgramJob(
        path, load_own(calibrate), made, formats, given["profile"], given["calibration_images"] or 256, output
    )
    task = jobs.Task(convert_program, job, reporter.bar(f"export {path.name}", "files"), output / "export.log")
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

    store, cards = Store(job.output), []
    count = min(job.calibration_images, len(job.samples))
    chosen = np.random.default_rng(0).permutation(len(job.samples))
    request = Request(
        module=load_pt2(job.path),
        name=job.path.stem,
        preprocess=job.preprocess,
        class_names=job.samples.class_names,
        calibration=job.samples.take(chosen[:count]),
        check=job.samples.take(chosen[:PARITY_IMAGES]),
        profile=job.profile,
    )
    for done, fmt in enumerate(job.formats, start=1):
        data, card = convert(request, fmt)
        card = card.model_copy(update={"file": f"{file_safe(job.path.stem)}-{card.file}"})
        store.write_artifact(job.output, data, card)
        cards.append(card)
        progress(done, len(job.formats))
    return cards

"""Write a float TFLite file again in mixtures of int8 and float, in a child process: the quantizer is noisy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.records.artifact import Preprocess
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.reporter import Progress, Reporter
from edgeval.store import Store, file_safe
from edgeval.workflow import jobs
from edgeval.workflow.data import need
from edgeval.workflow.export import ExportOptions, calibration_images


@dataclass(frozen=True)
class Mixture:
    """A file to make: its name, its role (int8, w8, 16x8, only, all but), and the operators that the role is about."""

    name: str
    role: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class MixturesJob:
    """One rung's float file and what is made of it, as a child process gets it."""

    ladder: Ladder
    rung: Rung
    start: Path
    preprocess: Preprocess
    folder: Path
    mixtures: tuple[Mixture, ...]
    calibration_images: int

    def path(self, mixture: Mixture) -> Path:
        """Where a mixture lies."""
        return self.folder / f"{file_safe(mixture.name)}.tflite"

    def images(self) -> NDArray[np.float32]:
        """(N, H, W, C) inputs of the calibration images: those that `edgeval export` takes."""
        options = ExportOptions(calibration_images=self.calibration_images)
        found, how = calibration_images(self.ladder, options, self.rung), self.preprocess
        mean, std = (np.array(value, np.float32) for value in (how.mean, how.std))
        scaled: NDArray[np.float32] = found.images.astype(np.float32) * np.float32(how.scale)
        return (scaled - mean) / std


def write_mixtures(job: MixturesJob, reporter: Reporter) -> None:
    """Make the files that are not there yet. Raises what the child met."""
    if all(job.path(mixture).exists() for mixture in job.mixtures):
        return
    need("ai_edge_quantizer", "export")
    name = f"quantise {job.rung.name}"
    task = jobs.Task(mix, job, reporter.bar(name, "files"), job.folder / "quantise.log", name)
    for outcome in jobs.LOCAL.run([task], 1):
        if outcome.error:
            raise outcome.error


def mix(job: MixturesJob, progress: Progress) -> None:
    """In a child process: ranges once, then file by file."""
    maker, store = Maker(job), Store(job.folder)
    for done, mixture in enumerate(job.mixtures, start=1):
        if not job.path(mixture).exists():
            store.write(job.path(mixture), maker.make(mixture))
        progress(done, len(job.mixtures))


class Maker:
    """Makes mixtures of one float file, whose ranges are measured once."""

    def __init__(self, job: MixturesJob) -> None:
        self.job = job
        self.start = job.start.read_bytes()

    @cached_property
    def ranges(self) -> dict[str, object]:
        """Of every tensor, over the calibration images."""
        from edgeval.export import quantize

        return quantize.ranges(self.start, self.job.images())

    def make(self, mixture: Mixture) -> bytes:
        """The file's bytes."""
        from edgeval.export import quantize

        makers: dict[str, Callable[[], bytes]] = {
            "w8": lambda: quantize.weights_only(self.start),
            "int8": lambda: quantize.integer(self.start, self.ranges),
            "16x8": lambda: quantize.integer(self.start, self.ranges, bits=16),
            "only": lambda: quantize.only(self.start, self.ranges, mixture.scopes),
            "all but": lambda: quantize.all_but(self.start, self.ranges, mixture.scopes),
        }
        return makers[mixture.role]()

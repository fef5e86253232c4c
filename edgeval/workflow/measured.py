"""Data of a ladder that learns numbers: its training, validation and test parts."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np

from edgeval.errors import DataError
from edgeval.records.ladder import MAGNETS, Ladder
from edgeval.records.reporter import Progress
from edgeval.records.units import Unit
from edgeval.tasks.cri3 import Part, Parts, load_cri3, ranges
from edgeval.tasks.quantities import Quantities, load_quantities
from edgeval.tasks.samples import Samples
from edgeval.workflow.data import Need, data_folder, lent, load_split, task_name


def load_part(ladder: Ladder, part: Part, count: int | None = None) -> Quantities:
    """One part of a ladder's data; `count`: only the first training samples. Raises DataError."""
    source = ladder.task
    along: Quantities | None = lent(ladder, (part, count))
    if along is not None:
        return along
    if source.simulated:
        parts = Parts(source.test_images, source.validation_images)
        limit, command = count if part == "train" else None, command_of(ladder)
        return load_cri3(magnets_of(ladder), part, count=limit, parts=parts, command=command)
    path = {"train": source.train, "validation": source.validation, "test": source.test}[part]
    assert path is not None
    found = load_quantities(ladder.beside(path))
    return first(found, count, task_name(ladder)) if part == "train" and count is not None else found


def fetch(ladder: Ladder, need: Need, progress: Progress) -> Samples | Quantities:
    """What a job of this ladder reads. Raises DataError."""
    part, count = need
    if ladder.regression is not None:
        return load_part(ladder, part, count)
    assert part != "validation"
    return load_split(ladder, part, progress)


def magnets_of(ladder: Ladder) -> Path:
    """The folder of simulated magnets that a ladder learns from."""
    return ladder.beside(ladder.task.magnets) if ladder.task.magnets else data_folder() / MAGNETS


def units_of(ladder: Ladder) -> tuple[Unit, ...]:
    """The unit and range of each output of simulated magnets; of other data none is known. Raises DataError."""
    if not ladder.task.simulated:
        return ()
    return tuple(Unit(name=name, low=low, high=high) for name, low, high in ranges(magnets_of(ladder)))


def magnets_needed(ladder: Ladder) -> int:
    """Samples that all rungs of a ladder need: those that test, those that validate, the largest training set."""
    assert ladder.regression is not None
    return ladder.task.test_images + ladder.task.validation_images + max(ladder.regression.images)


def command_of(ladder: Ladder) -> str:
    """The command line that simulates what a ladder learns from."""
    place = f" --out {shlex.quote(str(magnets_of(ladder)))}" if ladder.task.magnets else ""
    return f"edgeval simulate cri3 -n {magnets_needed(ladder)}{place}"


def first(data: Quantities, count: int, name: str) -> Quantities:
    """The first samples. Raises DataError where there are fewer."""
    if len(data) < count:
        hint = "make images in the card's [regression] smaller"
        raise DataError(
            f"{name} has too few training samples for a rung", seen=f"{len(data)}, {count} asked", hint=hint
        )
    return Quantities(data.samples.take(np.arange(count)), data.targets[:count], data.output_names)

"""The tasks that ship with edgeval, by name, each with its normalisation and its loader."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgeval.errors import DataError
from edgeval.tasks import cifar100, digits
from edgeval.tasks.samples import Samples
from edgeval.tasks.split import Progress, Split


@dataclass(frozen=True)
class Task:
    """One learning task. Network input = (pixel x scale - mean) / std, one mean and std a channel.

    `load(split, folder, progress)` reads a split; `folder` is where downloads are kept. Raises DataError.
    """

    name: str
    summary: str
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    load: Callable[[Split, Path, Progress], Samples]


TASKS: dict[str, Task] = {
    entry.name: entry
    for entry in (
        Task(
            name="digits100",
            summary="two handwritten digits on a cluttered 32x32 colour image, 100 classes, bundled",
            scale=1 / 255,
            mean=digits.MEAN,
            std=digits.STD,
            load=digits.load,
        ),
        Task(
            name="cifar100",
            summary="CIFAR-100: 32x32 colour photographs, 100 classes, downloaded once (169 MB)",
            scale=1 / 255,
            mean=(0.5071, 0.4867, 0.4408),
            std=(0.2675, 0.2565, 0.2761),
            load=cifar100.load,
        ),
    )
}


def task(name: str) -> Task:
    """The task called `name`. Raises DataError with the nearest names."""
    if name in TASKS:
        return TASKS[name]
    near = difflib.get_close_matches(name, TASKS, n=2)
    guess = f"did you mean {' or '.join(near)}? " if near else ""
    raise DataError("no task is called that", seen=name, hint=f"{guess}choose from {', '.join(TASKS)}")

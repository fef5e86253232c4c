"""What to run, on which images, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeval.records.artifact import Preprocess
from edgeval.records.target import Target
from edgeval.tasks.samples import Samples


@dataclass(frozen=True)
class Reading:
    """How images go into a model and which output is read.

    layout: auto tells it from the input's shape; output: its name, None to choose the one that fits `classes`;
    classes: numbers an image that are expected, None for any; channels: the order in which the model takes them;
    declared: False where nobody said how pixels become input, so that a plain uint8 input takes them as they are.
    """

    layout: Literal["auto", "nhwc", "nchw"] = "auto"
    channels: Literal["rgb", "bgr"] = "rgb"
    output: str | None = None
    classes: int | None = None
    declared: bool = True


@dataclass(frozen=True)
class Job:
    """What to run, on which images, and how.

    chunk: images a frame; workers: processes for accuracy, one thread each (None: one a core of the device);
    latency: whether to measure it afterwards with the card's threads; upto: answer only so many images from the first;
    accelerator: what is known of the card's delegate and of the compiled file (see delegate_words);
    source: what `model` was compiled from, where it was;
    watch: sees each chunk as it is saved and may end the run.
    """

    model: Path
    samples: Samples
    preprocess: Preprocess
    target: Target
    chunk: int = 500
    workers: int | None = None
    latency: bool = True
    reading: Reading = Reading()
    upto: int | None = None
    watch: Watch | None = None
    accelerator: Mapping[str, Any] | None = None
    source: Path | None = None


class Watch(Protocol):
    """Looks at answers as they come."""

    def __call__(self, start: int, stop: int, outputs: NDArray[np.generic], /) -> bool:
        """The raw outputs of the images [start, stop); True stops the run."""

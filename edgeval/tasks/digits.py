"""digits100: pairs of real handwritten digits on cluttered 32x32 colour images, composed from bundled data, the same everywhere."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.archive import read_npz
from edgeval.tasks.samples import Samples

Ints = NDArray[np.int64]
SIDE = 32
CENTRES = (9, 23)
PER_CLASS = {"train": 100, "test": 40}
SEEDS = {"train": 100, "test": 101}
STROKES = 3
DRAWS = 64

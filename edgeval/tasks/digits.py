"""digits100: pairs of real handwritten digits, composed from bundled data, the same pixels on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.archive import read_npz
from edgeval.tasks.samples import Samples
from edgeval.tasks.scene import Draws, compose
from edgeval.tasks.split import Progress, Split

SOURCE = Path(__file__).with_name("digits.npz")
CLASSES = 100
BLOCKS: dict[Split, int] = {"train": 100, "test": 40}
STREAMS: dict[Split, int] = {"train": 1, "test": 2}
MEAN = (0.498, 0.498, 0.499)
STD = (0.220, 0.220, 0.221)


@dataclass(frozen=True)
class Pool:
    """The source digits that one split may use: `images` (1797, 8, 8) uint8 0..16, `rows` of each digit 0..9."""

    images: NDArray[np.uint8]
    rows: tuple[NDArray[np.int64], ...]

    def pick(self, digits: NDArray[np.int64], draws: Draws) -> NDArray[np.int64]:
        """One source row for each wanted digit."""
        place = draws.words(len(digits)) % np.array([len(rows) for rows in self.rows], dtype=np.uint64)[digits]
        return np.array([self.rows[digit][at] for digit, at in zip(digits, place.astype(np.int64), strict=True)])


@cache
def pool(split: Split) -> Pool:
    """Two thirds of each digit's rows for training, the rest for testing: no source digit is in both."""
    arrays = read_npz(SOURCE)
    images, labels = arrays["images"].astype(np.uint8), arrays["labels"]
    shuffled = Draws(0).order(len(labels))
    rows = []
    for digit in range(10):
        mine = shuffled[labels[shuffled] == digit]
        cut = len(mine) * 2 // 3
        rows.append(np.sort(mine[:cut] if split == "train" else mine[cut:]))
    return Pool(images, tuple(rows))


def load(split: Split, folder: Path, progress: Progress) -> Samples:
    """10,000 training or 4,000 test images (N, 32, 32, 3) uint8; class = 10 x left digit + right digit.

    Every run of 100 images holds each class once. Nothing is read from `folder`: the source digits are bundled.
    """
    source, blocks = pool(split), BLOCKS[split]
    images, labels, ids = [], [], []
    used: set[int] = set()
    for block in range(blocks):
        draws = Draws(STREAMS[split], block)
        classes = draws.order(CLASSES)
        left, right = source.pick(classes // 10, draws), source.pick(classes % 10, draws)
        images.append(compose(source.images[left], source.images[right], draws))
        labels.append(classes)
        first = block * CLASSES
        ids += [f"{split}-{first + i:05d}-a{a:04d}-b{b:04d}" for i, (a, b) in enumerate(zip(left, right, strict=True))]
        used.update(left.tolist(), right.tolist())
        progress(first + CLASSES, blocks * CLASSES)
    note = f"composites share {len(used)} source digits: images are not independent, so intervals are optimistic"
    names = tuple(f"{label:02d}" for label in range(CLASSES))
    return Samples(np.concatenate(images), np.concatenate(labels), tuple(ids), names, (note,))

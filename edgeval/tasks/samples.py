"""Labelled images in a fixed order, with stable ids and content hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import DataError


@dataclass(frozen=True)
class Samples:
    """Labelled images.

    images: (N, H, W, C), uint8 0..255 or float32; labels: (N,) int64, 0 .. len(class_names) - 1;
    ids: N different strings; class_names: C names in label order; notes: what a reader of results must know.
    """

    images: NDArray[np.generic]
    labels: NDArray[np.int64]
    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_samples(self)

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def sha256(self) -> str:
        """One hash of pixels, labels and ids in order: names this data set in every result."""
        digest = hashlib.sha256()
        for part in (str(self.images.dtype), str(self.images.shape), "\n".join(self.ids)):
            digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
        digest.update(np.ascontiguousarray(self.images).tobytes())
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8").tobytes())
        return digest.hexdigest()

    def content_hashes(self) -> list[str]:
        """Hash of each image's pixels: equal images have equal hashes whatever their ids (leakage checks)."""
        return list(self._content_hashes)

    @cached_property
    def _content_hashes(self) -> list[str]:
        head = f"{self.images.dtype}{self.images.shape[1:]}".encode()
        return [hashlib.sha256(head + np.ascontiguousarray(image).tobytes()).hexdigest()[:16] for image in self.images]

    def take(self, index: Sequence[int] | NDArray[np.integer]) -> Samples:
        """The samples at these positions, in this order."""
        at = np.asarray(index, dtype=np.int64)
        ids = tuple(self.ids[i] for i in at)
        return Samples(self.images[at], self.labels[at], ids, self.class_names, self.notes)


def check_samples(samples: Samples) -> None:
    """Raise DataError unless shapes, dtypes, labels and ids fit together."""
    images, labels = samples.images, samples.labels
    if images.ndim != 4 or images.shape[-1] not in (1, 2, 3, 4):
        raise DataError("images must have the shape (N, height, width, 1 to 4 channels)", seen=images.shape)
    if images.dtype not in (np.uint8, np.float32):
        raise DataError("images must be uint8 or float32", seen=images.dtype)
    if not len(labels):
        raise DataError("there is no image in the data", hint="give at least one labelled image")
    if not len(images) == len(labels) == len(samples.ids):
        raise DataError("images, labels and ids differ in number", seen=(len(images), len(labels), len(samples.ids)))
    if images.dtype == np.float32 and not np.isfinite(images).all():
        raise DataError("images hold NaN or infinite values", seen=f"{int((~np.isfinite(images)).sum())} values")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(samples.class_names):
        raise DataError(
            f"labels must lie in 0..{len(samples.class_names) - 1}",
            seen=f"{low}..{high}",
            hint="check the labels or the class names",
        )
    if len(set(samples.ids)) != len(samples.ids):
        raise DataError("sample ids must be different from one another", seen=_first_repeat(samples.ids))


def _first_repeat(ids: Sequence[str]) -> str:
    """The first id that occurs a second time."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            return name
        seen.add(name)
    return ""

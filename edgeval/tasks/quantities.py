"""The user's own images with measured numbers: an .npz, or a CSV of paths and numeric columns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.archive import read_npz
from edgeval.errors import DataError
from edgeval.tasks.listing import csv_lines, files_of
from edgeval.tasks.own import as_images, as_strings
from edgeval.tasks.pictures import Size, read_pictures, resize_arrays
from edgeval.tasks.samples import Samples
from edgeval.tasks.split import Progress

LAYOUTS = "give an .npz with x and y (float), or a CSV with the header path,NAME and a number in each row"


@dataclass(frozen=True)
class Quantities:
    """Images with measured numbers.

    samples: the images and their ids (every label is 0); targets: (N, K) float64, finite; output_names: K names.
    """

    samples: Samples
    targets: NDArray[np.float64]
    output_names: tuple[str, ...]

    def __post_init__(self) -> None:
        check_quantities(self)

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def sha256(self) -> str:
        """One hash of pixels, ids, targets and names in order."""
        digest = hashlib.sha256(self.samples.sha256.encode())
        digest.update("\n".join(self.output_names).encode("utf-8", "surrogatepass") + b"\0")
        digest.update(np.ascontiguousarray(self.targets, dtype="<f8").tobytes())
        return digest.hexdigest()


def check_quantities(found: Quantities) -> None:
    """Raise DataError unless images, targets and names fit together."""
    if found.targets.ndim != 2 or len(found.targets) != len(found.samples):
        raise DataError("images and targets differ in number", seen=(len(found.samples), found.targets.shape))
    bad = np.asarray((~np.isfinite(found.targets)).any(axis=1))
    if bad.any():
        first = found.samples.ids[int(bad.argmax())]
        seen = f"{int(bad.sum())} of {len(bad)} samples, the first is {first}"
        raise DataError("targets hold NaN or infinite values", seen=seen, hint="leave these samples out")
    names = found.output_names
    if len(names) != found.targets.shape[1] or len(set(names)) != len(names):
        seen = f"{', '.join(names)} for {found.targets.shape[1]} outputs"
        raise DataError("each output needs one name of its own", seen=seen)


def load_quantities(path: Path, *, size: Size | None = None, progress: Progress | None = None) -> Quantities:
    """Images with measured numbers from `path`. Ids are those of an .npz or its row numbers, or the CSV's paths.

    size: (height, width) that every image is resized to (bilinear). Raises DataError.
    """
    if size is not None and min(size) < 1:
        raise DataError("height and width must be at least 1", seen=f"{size[0]}x{size[1]}", hint="for example 32x32")
    if path.is_dir():
        raise DataError("a folder of classes has no numbers to predict", seen=path, hint=LAYOUTS)
    if not path.exists():
        raise DataError("there is no such data", seen=path, hint=LAYOUTS)
    if path.suffix.lower() == ".npz":
        return _from_npz(path, size)
    if path.suffix.lower() == ".csv":
        return _from_csv(path, size, progress or (lambda done, total: None))
    raise DataError("this kind of data is not known", seen=path, hint=LAYOUTS)


def names_in(path: Path) -> tuple[str, ...]:
    """The names of the numbers that were measured, without a picture being read. Raises DataError."""
    if path.suffix.lower() == ".csv":
        return tuple(column for column in csv_lines(path)[0] if column != "path")
    arrays = read_npz(path, only=("y", "output_names"))
    if "output_names" in arrays:
        return as_strings(arrays["output_names"], "output_names")
    if "y" not in arrays or arrays["y"].ndim not in (1, 2):
        raise DataError(f"{path} has no array 'y' of numbers", seen=", ".join(arrays), hint=LAYOUTS)
    return _numbered(1 if arrays["y"].ndim == 1 else arrays["y"].shape[1])


def _from_npz(path: Path, size: Size | None) -> Quantities:
    """Arrays `x` as for classification and `y` (N,) or (N, K), numbers; optional `ids` and `output_names`."""
    arrays = read_npz(path)
    for name in ("x", "y"):
        if name not in arrays:
            found = ", ".join(arrays) or "no array"
            raise DataError(f"{path} has no array '{name}'", seen=found, hint=LAYOUTS)
    images, y = as_images(arrays["x"]), arrays["y"]
    if y.dtype.kind not in "fiu" or y.ndim not in (1, 2) or not y.size:
        seen = f"{y.dtype} {y.shape}"
        raise DataError("'y' must be numbers of the shape (N,) or (N, outputs)", seen=seen, hint=LAYOUTS)
    targets = y.reshape(len(y), -1).astype(np.float64)
    notes: tuple[str, ...] = ()
    if size is not None and images.ndim == 4 and images.shape[1:3] != size:
        notes = (
            f"{len(images)} images of {images.shape[1]}x{images.shape[2]} resized to {size[0]}x{size[1]} (bilinear)",
        )
        images = resize_arrays(images, size)
    ids = as_strings(arrays["ids"], "ids") if "ids" in arrays else tuple(str(row) for row in range(len(targets)))
    given = as_strings(arrays["output_names"], "output_names") if "output_names" in arrays else None
    return Quantities(_unlabelled(images, ids, notes), targets, given or _numbered(targets.shape[1]))


def _from_csv(path: Path, size: Size | None, progress: Progress) -> Quantities:
    """Columns `path` and one or more of numbers, which the header names."""
    header, lines = csv_lines(path)
    names = [column for column in header if column != "path"]
    if header.count("path") != 1 or not names or "" in names:
        hint = "the first line must be path,NAME or path,NAME,NAME ..."
        raise DataError(f"{path} must have the column path and columns of numbers", seen=",".join(header), hint=hint)
    if not lines:
        raise DataError(f"{path} has no row below its header", hint="one row an image: path,number")
    at = header.index("path")
    targets = [[_number(cell, line, path) for k, cell in enumerate(row) if k != at] for line, row in lines]
    ids, files = files_of(path, [(line, row[at]) for line, row in lines])
    images, notes = read_pictures(files, size=size, progress=progress)
    return Quantities(_unlabelled(images, ids, notes), np.array(targets), tuple(names))


def _number(cell: str, line: int, path: Path) -> float:
    """One cell of numbers. Raises DataError."""
    try:
        return float(cell)
    except ValueError as error:
        hint = "every column but path must hold numbers"
        raise DataError(f"line {line} of {path} has no number where one is needed", seen=cell, hint=hint) from error


def _unlabelled(images: NDArray[np.generic], ids: tuple[str, ...], notes: tuple[str, ...]) -> Samples:
    """Images and ids as the runner takes them; labels have no meaning here."""
    return Samples(images, np.zeros(len(ids), dtype=np.int64), ids, ("-",), notes)


def _numbered(count: int) -> tuple[str, ...]:
    return ("output",) if count == 1 else tuple(f"output {k}" for k in range(count))

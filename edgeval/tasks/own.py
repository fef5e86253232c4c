"""The user's own labelled images: a folder with one subfolder a class, an .npz, or a CSV of paths and labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.archive import as_labels, as_text, read_npz
from edgeval.errors import DataError
from edgeval.tasks.labels import agreed, named
from edgeval.tasks.listing import Listing, list_csv, list_folder
from edgeval.tasks.pictures import Size, read_pictures, resize_arrays
from edgeval.tasks.samples import Samples
from edgeval.tasks.split import Progress

LAYOUTS = "give a folder with one subfolder a class, an .npz with x and y, or a CSV with the header path,label"


def load_own(
    path: Path,
    *,
    class_names: tuple[str, ...] | None = None,
    size: Size | None = None,
    progress: Progress | None = None,
) -> Samples:
    """Labelled images from `path`, in an order that depends on names only, never on the file system.

    class_names: names in label order, in place of those found; size: (height, width) that every image is resized to
    (bilinear). Ids are paths relative to `path` (folder, CSV), or the `ids` or row numbers of an .npz. Images are
    grey only where all are; EXIF orientation is applied and alpha dropped. Raises DataError.
    """
    if size is not None and min(size) < 1:
        raise DataError("height and width must be at least 1", seen=f"{size[0]}x{size[1]}", hint="for example 32x32")
    if path.suffix.lower() == ".npz" and not path.is_dir():
        return load_npz(path, class_names=class_names, size=size)
    listing = _list(path, class_names)
    images, notes = read_pictures(listing.paths, size=size, progress=progress or _silent)
    labels = np.array(listing.labels, dtype=np.int64)
    return Samples(images, labels, listing.ids, listing.class_names, listing.notes + notes)


def _list(path: Path, class_names: tuple[str, ...] | None) -> Listing:
    """The image files that a folder or a CSV names. Raises DataError."""
    try:
        if path.is_dir():
            return list_folder(path, class_names)
        if not path.exists():
            raise DataError("there is no such data", seen=path, hint=LAYOUTS)
        if path.suffix.lower() == ".csv":
            return list_csv(path, class_names)
    except OSError as error:
        raise DataError("the data cannot be read", seen=error, hint="check the path and its permissions") from error
    raise DataError("this kind of data is not known", seen=path, hint=LAYOUTS)


def load_npz(path: Path, *, class_names: tuple[str, ...] | None = None, size: Size | None = None) -> Samples:
    """Arrays `x` (N, H, W, C) or (N, H, W), uint8 or float, and `y` (N,); optional `ids` and `class_names`."""
    arrays = read_npz(path)
    for name in ("x", "y"):
        if name not in arrays:
            found = ", ".join(arrays) or "no array"
            raise DataError(
                f"{path} has no array '{name}'", seen=found, hint="save it with numpy.savez(FILE, x=..., y=...)"
            )
    images, labels = as_images(arrays["x"]), as_labels(arrays["y"], f"labels 'y' of {path}")
    found_names = as_strings(arrays["class_names"], "class_names") if "class_names" in arrays else None
    names = agreed(class_names, found_names, str(path))
    ids = as_strings(arrays["ids"], "ids") if "ids" in arrays else tuple(str(row) for row in range(len(labels)))
    samples = Samples(images, labels, ids, named(labels.tolist(), names))
    if size is None or images.shape[1:3] == size:
        return samples
    note = f"{len(images)} images of {images.shape[1]}x{images.shape[2]} resized to {size[0]}x{size[1]} (bilinear)"
    return Samples(resize_arrays(images, size), labels, ids, samples.class_names, (note,))


def as_images(x: NDArray[np.generic]) -> NDArray[np.generic]:
    """`x` as (N, H, W, C), uint8 or float32. Raises DataError for other types, and for channels first."""
    if x.dtype.kind not in "fu" or (x.dtype.kind == "u" and x.dtype != np.uint8):
        raise DataError("'x' must be uint8 or float", seen=x.dtype, hint="for pixels 0..255 save x.astype('uint8')")
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim == 4 and x.shape[-1] not in (1, 2, 3, 4) and x.shape[1] in (1, 3, 4):
        raise DataError("'x' has its channels first", seen=x.shape, hint="save x.transpose(0, 2, 3, 1)")
    if x.dtype == np.uint8:
        return x
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, which Samples refuses
        return x.astype(np.float32)


def as_strings(array: NDArray[np.generic], what: str) -> tuple[str, ...]:
    """A one-dimensional array as strings. Raises DataError otherwise."""
    if array.ndim != 1:
        raise DataError(f"'{what}' must have one dimension", seen=f"shape {array.shape}")
    return as_text(array)


def _silent(done: int, total: int) -> None:
    """Report to nobody."""

"""CIFAR-100 from `cifar100.npz` in the data folder, which is made once from the official binary archive."""

from __future__ import annotations

import hashlib
import os
import tarfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.archive import as_labels, as_text, read_npz
from edgeval.errors import DataError
from edgeval.tasks.samples import Samples
from edgeval.tasks.split import Progress, Split

Arrays = dict[str, NDArray[np.generic]]

SITE = "https://www.cs.toronto.edu/~kriz"
ARCHIVE = "cifar-100-binary.tar.gz"
ARCHIVE_MD5 = "03b5dce01913d631647c71ecec9e9cb8"
TABLE = "cifar100.npz"
COUNTS: dict[Split, int] = {"train": 50_000, "test": 10_000}
ROW = 2 + 32 * 32 * 3
LARGEST = 50_000 * ROW
# sha256 of pixels (NHWC) followed by fine labels (one byte each), in the official order.
OFFICIAL: dict[Split, str] = {
    "train": "14886c20287690f03728355958fe0858f491f72573360ceb2c75e0feff0833ba",
    "test": "1a89522ef3d4d89d962566436ca6223f42f4a2dcbfa3bd870b2ead933a83e54a",
}


def load(split: Split, folder: Path, progress: Progress) -> Samples:
    """50,000 training or 10,000 test images (N, 32, 32, 3) uint8 with their fine labels, in the official order.

    `folder` holds `cifar100.npz`, or the official archive, or is where the archive is downloaded to. Raises DataError.
    """
    path = folder / TABLE
    if not path.is_file():
        make(folder, progress)
    try:
        arrays = read_npz(path)
    except DataError as error:
        hint = f"delete it to have it made again from {ARCHIVE}"
        raise DataError(error.what, seen=error.seen, hint=hint) from error
    check(path, arrays, split)
    images, labels = arrays[f"x_{split}"], as_labels(arrays[f"y_{split}"], f"y_{split} of {path}")
    ids = tuple(f"{split}-{i:05d}" for i in range(len(labels)))
    digest = hashlib.sha256(np.ascontiguousarray(images).data)
    digest.update(labels.astype(np.uint8).data)
    other = f"pixels, labels or their order in {TABLE} differ from the official CIFAR-100"
    notes = () if digest.hexdigest() == OFFICIAL[split] else (other,)
    return Samples(images, labels, ids, as_text(arrays["fine_names"]), notes)


def check(path: Path, arrays: Arrays, split: Split) -> None:
    """Raise DataError unless the arrays of `split` have the names, shapes and types of CIFAR-100."""
    hint = f"delete it to have it made again from {ARCHIVE}"
    wanted = {f"x_{split}": (COUNTS[split], 32, 32, 3), f"y_{split}": (COUNTS[split],), "fine_names": (100,)}
    for name, shape in wanted.items():
        if name not in arrays:
            raise DataError(f"{path} has no array '{name}'", seen=", ".join(arrays) or "no array", hint=hint)
        if arrays[name].shape != shape:
            raise DataError(f"'{name}' of {path} must have the shape {shape}", seen=arrays[name].shape, hint=hint)
    if arrays[f"x_{split}"].dtype != np.uint8:
        raise DataError(f"'x_{split}' of {path} must be uint8", seen=arrays[f"x_{split}"].dtype, hint=hint)


def make(folder: Path, progress: Progress) -> None:
    """Write `cifar100.npz` from the official archive, which is downloaded if it is not in `folder`."""
    from edgeval.tasks.download import fetch, md5_of  # the network modules load only when they are needed

    archive = folder / ARCHIVE
    given = archive.is_file()
    place = f"put {ARCHIVE} from {SITE}/cifar.html, or {TABLE}, into {folder}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not given:
            fetch(f"{SITE}/{ARCHIVE}", archive, md5=ARCHIVE_MD5, progress=progress)
        elif md5_of(archive) != ARCHIVE_MD5:
            raise DataError(f"{archive} is not the official archive (md5 differs)", hint=f"delete it, or {place}")
        write(folder / TABLE, unpack(archive))
        if not given:
            archive.unlink()
    except OSError as error:
        raise DataError(f"CIFAR-100 is not in {folder} and cannot be put there", seen=error, hint=place) from error


def unpack(archive: Path) -> Arrays:
    """Arrays of the official binary archive; nothing is extracted to disk. Raises DataError if it is damaged."""
    arrays: Arrays = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for split, count in COUNTS.items():
                rows = np.frombuffer(member(tar, f"{split}.bin"), dtype=np.uint8).reshape(count, ROW)
                # A row is the coarse label, the fine label, then 1,024 bytes each of red, green and blue.
                arrays[f"x_{split}"] = rows[:, 2:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
                arrays[f"y_{split}"] = rows[:, 1]
            arrays["fine_names"] = np.array(member(tar, "fine_label_names.txt").decode("ascii").split())
    except (tarfile.TarError, zlib.error, EOFError, KeyError, ValueError) as error:
        raise DataError(f"{archive} is damaged", seen=error, hint="delete it and run the command again") from error
    return arrays


def member(tar: tarfile.TarFile, name: str) -> bytes:
    """Bytes of one regular file in the archive, never more than the largest one that CIFAR-100 has."""
    stream = tar.extractfile(f"cifar-100-binary/{name}")
    if stream is None:
        raise KeyError(name)
    return stream.read(LARGEST + 1)


def write(path: Path, arrays: Arrays) -> None:
    """Write an .npz under a temporary name, flush it, then rename: no half file is ever left under `path`."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]  # (the names of the arrays are free)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)

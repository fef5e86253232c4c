"""Read .npz files from outside: no pickle, no surprise in size, one clear error."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Container
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import DataError

LIMIT = 16 * 2**30
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, tokenize.TokenError)


def read_npz(
    path: Path, *, limit: int | None = None, only: Container[str] | None = None
) -> dict[str, NDArray[np.generic]]:
    """All arrays of an .npz file by name, or `only` these.

    Raises DataError if it is missing, damaged or pickled, or unpacks to more than `limit` bytes (default LIMIT).
    """
    if path.is_dir():
        raise DataError("this is a folder, not an .npz file", seen=path, hint="name the file in it")
    if not path.is_file():
        raise DataError("there is no such file", seen=path, hint="check the path")
    if path.stat().st_size == 0:
        raise DataError("the file is empty (0 bytes)", seen=path, hint="write it again")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > (limit or LIMIT):
            raise DataError(f"{path} unpacks to more than {limit or LIMIT} bytes", seen=size, hint="split it")
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files if only is None or name in only}
        if not all(isinstance(array, np.ndarray) for array in found.values()):
            raise DataError(f"{path} holds something that is not an array", hint="write it again with numpy.savez")
        return found
    except DAMAGE as error:
        raise DataError(
            f"{path} is not a whole .npz file", seen=error, hint="copy it again, or save it again with numpy.savez"
        ) from error
    except ValueError as error:
        hint = "save plain numbers and strings, not Python objects"
        raise DataError(f"{path} holds an array that cannot be read without pickle", seen=error, hint=hint) from error


def as_text(array: NDArray[np.generic]) -> tuple[str, ...]:
    """Strings of a one-dimensional array of str, bytes or int. Raises DataError."""
    if array.ndim != 1 or array.dtype.kind not in "USiu":
        raise DataError("names and ids must be a one-dimensional array of text or whole numbers", seen=array.shape)
    return tuple(
        item.decode("utf-8", "replace") if isinstance(item, bytes) else as_unicode(item) for item in array.tolist()
    )


def as_unicode(text: object) -> str:
    """Text without lone surrogates, which no file or page could hold."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def as_labels(array: NDArray[Any], what: str) -> NDArray[np.int64]:
    """One-dimensional whole numbers as int64. Raises DataError otherwise."""
    if array.ndim != 1:
        raise DataError(f"{what} must have one dimension", seen=f"shape {array.shape}")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise DataError(f"{what} hold NaN or infinite values", seen=array.dtype)
        if not (array == np.round(array)).all():
            raise DataError(f"{what} must be whole numbers", seen=array.dtype)
    elif array.dtype.kind not in "iu":
        raise DataError(f"{what} must be whole numbers", seen=array.dtype)
    return array.astype(np.int64)

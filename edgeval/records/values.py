"""Values: what a regression model answered for each sample, beside what was measured."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from edgeval.archive import as_text, as_unicode, read_npz
from edgeval.errors import DataError
from edgeval.records.cards import explain
from edgeval.records.predictions import Source

Floats = NDArray[np.float64]
MOST_OUTPUTS = 1000
LARGEST = 1e60  # its fourth power is still a number
FORM = "save it with numpy.savez(FILE, targets=..., values=...), both (N,) or (N, outputs)"


@dataclass(frozen=True)
class Values:
    """One regression model's answers.

    targets: (N, K) what was measured; values: (N, K) what was answered, both finite; output_names: K names;
    ids: N different strings, None where the table has none.
    """

    targets: Floats
    values: Floats
    output_names: tuple[str, ...]
    source: Source
    ids: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def errors(self) -> Floats:
        """(N, K) answer minus target."""
        return self.values - self.targets

    def with_source(self, **values: Any) -> Values:
        """A copy whose source differs in these values."""
        return replace(self, source=self.source.model_copy(update=values))

    def take(self, index: NDArray[np.integer]) -> Values:
        """The samples at these positions, in this order."""
        ids = None if self.ids is None else tuple(self.ids[i] for i in index)
        return replace(self, targets=self.targets[index], values=self.values[index], ids=ids)


def step_of(source: Source) -> float | None:
    """The step of the grid that a model's answers lie on; None where they are not known to be quantised."""
    told = (source.runtime or {}).get("output")
    found = told.get("scale") if isinstance(told, dict) else None
    return float(found) if isinstance(found, int | float) and np.isfinite(found) and found > 0 else None


def holds_values(path: Path) -> bool:
    """Whether a file is a table of a regression model, by the names of its arrays; False where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
    return {"targets.npy", "values.npy"} <= names


def encode_values(table: Values) -> bytes:
    """The table as .npz bytes, in the public form that `read_values` and `edgeval score` read."""
    source = table.source.model_copy(update={"answers_sha256": _answers_sha256(table)})
    arrays: dict[str, NDArray[np.generic]] = {
        "targets": table.targets,
        "values": table.values,
        "output_names": np.array(table.output_names),
        "header": np.array(source.model_dump_json()),
    }
    if table.ids is not None:
        arrays["ids"] = np.array(table.ids)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def read_values(path: Path, *, trusted: bool = False) -> Values:
    """A table of a regression model from a file. Raises DataError.

    Unless `trusted` (edgeval wrote it), its origin is `imported` whatever its header says.
    """
    arrays = read_npz(path)
    for name in ("targets", "values"):
        if name not in arrays:
            seen = ", ".join(arrays) or "nothing"
            raise DataError(f"{path} has no array '{name}': it is no regression table", seen=seen, hint=FORM)
    targets, values = (numbers(arrays[name], f"{path}: {name}") for name in ("targets", "values"))
    if targets.shape != values.shape:
        seen = f"{arrays['targets'].shape} and {arrays['values'].shape}"
        raise DataError(f"{path}: targets and values differ in shape", seen=seen)
    names = output_names(arrays, targets.shape[1], str(path))
    found = Values(targets, values, names, _source(arrays, path, trusted), _ids(arrays, path, len(targets)))
    if trusted and found.source.answers_sha256 not in (None, _answers_sha256(found)):
        raise DataError(f"{path}: the answers were changed since they were written", seen="another hash")
    return found


def numbers(array: NDArray[np.generic], what: str) -> Floats:
    """Finite numbers (N,) or (N, K) as (N, K) float64. Raises DataError."""
    if array.dtype.kind not in "fiu":
        raise DataError(f"{what} must be numbers", seen=array.dtype)
    if array.ndim not in (1, 2) or (array.ndim == 2 and not 1 <= array.shape[1] <= MOST_OUTPUTS):
        hint = f"at most {MOST_OUTPUTS} outputs"
        raise DataError(f"{what} must have the shape (N,) or (N, outputs)", seen=array.shape, hint=hint)
    if not len(array):
        raise DataError(f"{what} hold no sample", seen=f"shape {array.shape}")
    found = array.reshape(len(array), -1).astype(np.float64)
    bad = np.asarray((~np.isfinite(found)).any(axis=1))
    if bad.any():
        seen = f"{int(bad.sum())} of {len(bad)} samples, the first in row {int(bad.argmax())}"
        raise DataError(f"{what} hold NaN or infinite values", seen=seen, hint="leave these samples out")
    if np.abs(found).max() > LARGEST:
        raise DataError(f"{what} are too large to be squared", seen=f"{np.abs(found).max():g}", hint="rescale them")
    return found


def output_names(arrays: Mapping[str, NDArray[np.generic]], count: int, where: str) -> tuple[str, ...]:
    """`output_names` of a file, else output 0, output 1 ...; all different. Raises DataError."""
    if "output_names" not in arrays:
        return ("output",) if count == 1 else tuple(f"output {k}" for k in range(count))
    names = as_text(arrays["output_names"])
    if len(names) != count or len(set(names)) != count:
        seen = f"{len(names)} names, {len(set(names))} different, for {count} outputs"
        raise DataError(f"{where}: output_names must name each output once", seen=seen)
    return names


def _ids(arrays: Mapping[str, NDArray[np.generic]], path: Path, n: int) -> tuple[str, ...] | None:
    """Sample ids, if the table has them; all different."""
    if "ids" not in arrays:
        return None
    ids = as_text(arrays["ids"])
    if len(ids) != n:
        raise DataError(f"{path}: ids and targets differ in length", seen=f"{len(ids)} and {n}")
    if len(set(ids)) != n:
        raise DataError(f"{path}: ids must be different from one another", seen=f"{n - len(set(ids))} repeats")
    return ids


def _answers_sha256(table: Values) -> str:
    """One hash of targets, ids and answers."""
    digest = hashlib.sha256("\n".join((*table.output_names, *(table.ids or ()))).encode())
    for array in (table.targets, table.values):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _source(arrays: Mapping[str, NDArray[np.generic]], path: Path, trusted: bool) -> Source:
    """The header that edgeval wrote, or a plain one for a table from elsewhere."""
    if "header" not in arrays:
        return Source(name=as_unicode(path.stem), format="table")
    try:
        source = Source.model_validate(json.loads(str(arrays["header"])))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: the header is not JSON", seen=error) from error
    except ValidationError as error:
        raise DataError(f"{path}: the header cannot be used: {explain(Source, error)}") from error
    return source if trusted else source.model_copy(update={"origin": "imported"})

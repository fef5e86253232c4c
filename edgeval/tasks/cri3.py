"""Simulated magnets as regression data: pictures, and theta, J and D scaled to 0..1 by their ranges."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgeval.archive import read_npz
from edgeval.errors import DataError
from edgeval.tasks.quantities import Quantities
from edgeval.tasks.samples import Samples

MANIFEST, SCHEMA = "cri3.json", "edgeval/cri3/1"
NAMES, UNITS = ("theta", "j", "d"), ("degrees", "meV", "meV")
# Mean and standard deviation of n_z in the upper and the lower layer, over 500 pictures of the usual ranges: the upper
# one hardly leaves +1, so pixels as they are would leave most of what tells magnets apart to small numbers.
MEAN, STD = (0.97, 0.63), (0.094, 0.63)
TEST, VALIDATION = 2000, 1000
FARTHEST = 1e12  # that any parameter lies from 0, in its unit
Part = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Parts:
    """How a folder is shared: the first samples test, the next validate, all others train; so a data set that grows
    keeps its test, and smaller training sets are the beginning of larger ones.
    """

    test: int = TEST
    validation: int = VALIDATION

    def span(self, part: Part, count: int | None) -> tuple[int, int | None]:
        """First index and the one after the last; None is as far as the folder goes."""
        if part == "test":
            return 0, self.test
        held = self.test + self.validation
        return (self.test, held) if part == "validation" else (held, None if count is None else held + count)


def is_magnets(path: Path) -> bool:
    """Whether `edgeval simulate cri3` made this folder."""
    return (path / MANIFEST).is_file()


def holds(folder: Path, count: int) -> bool:
    """Whether the first `count` samples are there, by the index of each file: pictures are not read."""
    try:
        plan = _plan(folder)
        size = plan["shard_size"]
        for at, begin in enumerate(range(0, count, size)):
            arrays = read_npz(folder / f"shard-{at:05d}.npz", only=("header", "index"))
            kept = np.arange(begin, min(begin + size, count))
            if json.loads(str(arrays["header"])) != plan or not np.array_equal(arrays["index"][: len(kept)], kept):
                return False
    except (DataError, KeyError, ValueError, IndexError, RecursionError):
        return False
    return True


def load_cri3(
    folder: Path, part: Part, *, count: int | None = None, parts: Parts | None = None, command: str = ""
) -> Quantities:
    """One part of a folder; `count` limits the training samples. Targets are (value - low) / (high - low).

    Samples that did not converge are left out, and the notes say so. Raises DataError; `command` makes what is missing.
    """
    plan = _plan(folder, command)
    begin, end = (parts or Parts()).span(part, count)
    shards = list(_shards(folder, plan, begin, end))
    found = sum(len(shard["index"]) for shard in shards)
    if not found or (end is not None and found < end - begin):
        need = end or begin + 1
        hint = command or f"edgeval simulate cri3 -n {need} --out {folder}"
        hint += ", with the options it was made with"
        raise DataError(f"the {part} part needs samples {begin} to {need - 1}", seen=f"{found} of them", hint=hint)
    whole = {
        name: np.concatenate([shard[name] for shard in shards]) for name in ("images", "index", "converged", *NAMES)
    }
    kept = np.flatnonzero(whole["converged"])
    notes = (f"{found - len(kept)} of {found} samples left out: not converged",) if len(kept) < found else ()
    low, high = np.array([plan["ranges"][name] for name in NAMES], dtype=np.float64).T
    values = np.stack([whole[name] for name in NAMES], axis=1)[kept].astype(np.float64)
    ids = tuple(str(k) for k in whole["index"][kept])
    samples = Samples(whole["images"][kept], np.zeros(len(kept), dtype=np.int64), ids, ("-",), notes)
    return Quantities(samples, (values - low) / np.where(high > low, high - low, 1), NAMES)


def ranges(folder: Path) -> list[tuple[str, float, float]]:
    """Unit, least and largest value of each output, as the folder's plan has them. Raises DataError."""
    plan = _plan(folder)
    bounds = [plan["ranges"][name] for name in NAMES]
    return [(unit, float(low), float(high)) for unit, (low, high) in zip(UNITS, bounds, strict=True)]


def _plan(folder: Path, command: str = "") -> dict[str, Any]:
    """What the folder says of itself. Raises DataError."""
    hint = f"make it with {command or 'edgeval simulate cri3 -n N --out DIR'}"
    try:
        plan = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if plan["schema"] != SCHEMA:
            raise DataError("this folder was written in another format", seen=plan["schema"], hint=hint)
        bounds = np.array([plan["ranges"][name] for name in NAMES], dtype=np.float64).reshape(3, 2)
        if not (np.abs(bounds) <= FARTHEST).all() or (bounds[:, 0] > bounds[:, 1]).any():
            raise ValueError(bounds)
        plan["shard_size"] = int(plan["shard_size"])
        if plan["shard_size"] < 1:
            raise ValueError(plan["shard_size"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise DataError("this is no folder of simulated magnets", seen=folder, hint=hint) from error
    return dict(plan)


def _shards(folder: Path, plan: dict[str, Any], begin: int, end: int | None) -> Iterator[dict[str, NDArray[Any]]]:
    """The rows of this span, shard by shard, up to the first that is not there. Raises DataError."""
    at = begin // plan["shard_size"]
    while end is None or at * plan["shard_size"] < end:
        path = folder / f"shard-{at:05d}.npz"
        if not path.exists():
            return
        arrays = read_npz(path)
        try:
            index, header = arrays["index"].astype(np.int64), json.loads(str(arrays["header"]))
            wanted = (index >= begin) & (index < (end or np.inf))
            rows = {name: arrays[name][wanted] for name in ("images", "index", "converged", *NAMES)}
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise DataError(
                f"{path} is not what edgeval wrote", seen=error, hint="remove it, simulate again"
            ) from error
        if header != plan:
            raise DataError(f"{path} belongs to another data set", seen=folder, hint="remove it, simulate again")
        yield rows
        at += 1

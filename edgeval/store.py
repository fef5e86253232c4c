"""The results folder `runs/`: where everything lies, written whole or not at all, and read back only if it is whole."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import secrets
import shlex
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from edgeval.archive import read_npz
from edgeval.errors import DataError, InputError, IntegrityError, MissingError
from edgeval.records.artifact import ArtifactCard
from edgeval.records.cards import explain
from edgeval.records.checkpoint import CheckpointCard
from edgeval.records.predictions import Predictions, Source, encode, read_table

FORMAT = 1
MARK = "edgeval.json"
R = TypeVar("R", bound=BaseModel)


class Store:
    """One results folder.

    artifacts/LADDER/RUNG-sSEED/   checkpoint, torch logits, exported files, each with a JSON card
    predictions/                   finished tables, and the chunks of unfinished ones
    comparisons/                   one JSON a comparison      reports/TARGET/   what people read
    looks/                         how often the gate looked at the same data
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self) -> Store:
        """Make the folder, if it is not there. Raises InputError."""
        mark = self.root / MARK
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if not mark.exists():
                self.write(mark, json.dumps({"format": FORMAT}).encode())
        except OSError as error:
            hint = f"{error.strerror}; choose --runs DIR"
            raise InputError("the results folder cannot be used", seen=self.root, hint=hint) from error
        return self.check()

    def check(self) -> Store:
        """Raise InputError if the folder is there in a format that this version cannot use."""
        mark = self.root / MARK
        if not mark.exists():
            return self
        try:
            found = json.loads(mark.read_text(encoding="utf-8"))["format"]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(f"{mark} is damaged", seen=error, hint="choose another --runs DIR") from error
        if found != FORMAT:
            raise InputError(f"{self.root} was written in another format", seen=found, hint="choose another --runs DIR")
        return self

    @property
    def flag(self) -> str:
        """What must be added to a command line so that it uses this folder."""
        return "" if self.root == Path("runs") else f" --runs {shlex.quote(str(self.root))}"

    def rung(self, ladder: str, rung: str, seed: int) -> Path:
        """Folder of one trained rung."""
        return self.root / "artifacts" / ladder / f"{rung}-s{seed}"

    def ladders(self) -> list[str]:
        """Ladders that have something in this folder."""
        folder = self.root / "artifacts"
        return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []

    def seeds(self, ladder: str, rung: str) -> list[int]:
        """Seeds of a rung that have a finished checkpoint or an exported file."""
        folder = self.root / "artifacts" / ladder
        found = folder.glob(f"{rung}-s*/*.json") if folder.is_dir() else iter(())
        numbers = (re.fullmatch(rf"{re.escape(rung)}-s(\d{{1,9}})", path.parent.name) for path in found)
        return sorted({int(match[1]) for match in numbers if match})

    def write(self, path: Path, data: bytes) -> Path:
        """Write a file whole or not at all: temporary name, flush to disk, rename."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            with open(partial, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        except OSError as error:  # a full disk names no file
            raise OSError(error.errno, error.strerror, str(path)) from error
        finally:
            partial.unlink(missing_ok=True)
        return path

    def write_record(self, path: Path, record: BaseModel) -> Path:
        """Write a record as JSON."""
        return self.write(path, record.model_dump_json(indent=1, by_alias=True).encode() + b"\n")

    def read_record(self, kind: type[R], path: Path) -> R:
        """Read a record that edgeval wrote. Raises IntegrityError if it was changed into something else."""
        try:
            return kind.model_validate_json(path.read_bytes())
        except OSError as error:
            hint = "remove it and run again"
            raise IntegrityError(f"{path} cannot be read", seen=error.strerror, hint=hint) from error
        except ValidationError as error:
            hint = "remove that file and run the command that made it"
            raise IntegrityError(f"{path} is not what edgeval wrote: {explain(kind, error)}", hint=hint) from error

    # --- trained rungs ---

    def checkpoint(self, folder: Path) -> tuple[Path, CheckpointCard] | None:
        """The weights' file and card, or None. Raises IntegrityError if the file does not match its card."""
        path = folder / "checkpoint.json"
        if not path.exists():
            return None
        card = self.read_record(CheckpointCard, path)
        weights = folder / "checkpoint.safetensors"
        check_hash(weights, card.sha256, "edgeval train")
        return weights, card

    # --- artifacts ---

    def write_artifact(self, folder: Path, data: bytes, card: ArtifactCard) -> Path:
        """An exported file with its card; the card comes last."""
        path = self.write(folder / card.file, data)
        self.write_record(path.with_name(path.name + ".json"), card)
        return path

    def artifact(self, folder: Path, file: str) -> tuple[Path, ArtifactCard] | None:
        """An exported file and its card, or None. Raises IntegrityError if they do not match."""
        path = folder / file
        card_path = path.with_name(path.name + ".json")
        if not card_path.exists():
            return None
        card = self.read_record(ArtifactCard, card_path)
        check_hash(path, card.sha256, "edgeval export")
        return path, card

    # --- predictions ---

    def table(self, key: str) -> Path:
        """Where the finished table of this key lies."""
        return self.root / "predictions" / f"{key}.npz"

    def write_table(self, path: Path, predictions: Predictions) -> Path:
        """A finished table of predictions."""
        return self.write(path, encode(predictions))

    def read_table(self, path: Path) -> Predictions:
        """A table that edgeval wrote. Raises MissingError, IntegrityError."""
        if not path.exists():
            raise MissingError("there is no table of predictions", seen=path, hint="run the command again")
        try:
            return read_table(path, trusted=True)
        except DataError as error:
            raise IntegrityError(f"{path} is damaged", seen=error.what, hint="remove it and run again") from error

    def ledgers(self) -> list[Path]:
        """Where the looks at the data are written down."""
        return sorted((self.root / "looks").glob("*.json"))

    def sources(self) -> Iterator[Source]:
        """Where each finished table came from; files that cannot be read are passed over."""
        for path in sorted((self.root / "predictions").glob("*.npz")):
            try:
                with np.load(path, allow_pickle=False) as arrays:
                    yield Source.model_validate_json(str(arrays["header"]))
            except (OSError, ValueError, KeyError, zipfile.BadZipFile):
                continue

    def chunks(self, key: str) -> Chunks:
        """The chunks of an unfinished table."""
        return Chunks(self, self.root / "predictions" / f"{key}.chunks")


class Chunks:
    """Outputs as they come from a device, one checksummed file a chunk; what is saved is never run again."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder

    def have(self) -> list[tuple[int, int]]:
        """Ranges [start, stop) that are saved and whole; damaged files are removed."""
        return [(start, stop) for start, stop, _ in self._whole()]

    def save(self, start: int, stop: int, outputs: NDArray[np.generic]) -> None:
        """Keep the raw outputs of the samples [start, stop)."""
        digest = hashlib.sha256(np.ascontiguousarray(outputs).tobytes()).hexdigest()[:16]
        path = self.folder / f"{start:09d}-{stop:09d}-{digest}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.store.write(path, _npy(outputs))

    def join(self, count: int) -> NDArray[np.generic]:
        """All outputs in order. Raises IntegrityError unless they cover 0..count exactly once."""
        parts, at = [], 0
        for start, stop, path in self._whole():
            if start != at:
                raise IntegrityError(
                    "saved chunks do not join", seen=f"{at} then {start}", hint=f"remove {self.folder}"
                )
            parts.append(np.load(path, allow_pickle=False))
            at = stop
        if at != count:
            raise IntegrityError("saved chunks are not complete", seen=f"{at} of {count}", hint="run again to resume")
        return np.concatenate(parts)

    def saved(self) -> Iterator[tuple[int, int, NDArray[np.generic]]]:
        """Saved ranges in order with their outputs."""
        for start, stop, path in self._whole():
            yield start, stop, np.load(path, allow_pickle=False)

    def first(self, count: int) -> NDArray[np.generic]:
        """Outputs of the first samples without a gap, at most `count`. Raises IntegrityError if there is none."""
        parts, at = [], 0
        for start, stop, outputs in self.saved():
            if start != at or at >= count:
                break
            parts.append(outputs)
            at = stop
        if not parts:
            raise IntegrityError("no chunk of the first samples is saved", seen=self.folder, hint="run again")
        return np.concatenate(parts)[:count]

    def clear(self) -> None:
        """Remove the chunks once their table is written."""
        for path in self.folder.glob("*.npy"):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # another process may still write here
            self.folder.rmdir()

    def _whole(self) -> Iterator[tuple[int, int, Path]]:
        """Saved chunks in order, each checked against the hash in its name."""
        for path in sorted(self.folder.glob("*.npy")):
            try:
                start, stop, digest = path.stem.split("-")
                data = np.load(path, allow_pickle=False)
                same = hashlib.sha256(data.tobytes()).hexdigest()[:16] == digest
                whole = same and len(data) == int(stop) - int(start)
            except (ValueError, OSError, EOFError):
                whole = False
            if whole:
                yield int(start), int(stop), path
            elif path.is_file():
                path.unlink()


def check_hash(path: Path, expected: str, command: str) -> None:
    """Raise IntegrityError unless the file has this SHA-256."""
    if not path.exists():
        raise IntegrityError(
            f"{path} is missing but its card is there", hint=f"remove the card and run {command} again"
        )
    found = file_sha256(path)
    if found != expected:
        hint = f"remove it and run {command} again"
        raise IntegrityError(
            f"{path} was changed since it was made", seen=f"sha256 {found[:12]}, card {expected[:12]}", hint=hint
        )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key(*parts: Any) -> str:
    """A short hash that names a piece of work by everything it depends on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:20]


def file_safe(name: str) -> str:
    """A name that can be a file's, whatever it was: ASCII, at most 100 long, never hidden, never a path."""
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.")[:100] or "unnamed"


def read_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """Arrays of an .npz that edgeval wrote."""
    return read_npz(path)


def _npy(array: NDArray[np.generic]) -> bytes:
    """The bytes of a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()

"""A recording: what a device answered, in one file that can answer in its place and shows when it was changed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from edgeval.archive import read_npz
from edgeval.errors import DataError, IntegrityError, UnreachableError
from edgeval.records.artifact import Preprocess
from edgeval.records.cards import Record, explain
from edgeval.records.predictions import Latency
from edgeval.records.target import Origin, Recorded

DIGEST_BYTES = 16
Arrays = Mapping[str, NDArray[np.generic]]


class Asked(Record):
    """How a model was asked: everything beside model and images that its answers depend on."""

    preprocess: Preprocess
    layout: str = "auto"
    channels: str = "rgb"
    output: str | None = None
    classes: int | None = None
    declared: bool = True
    engine: str
    version: str
    kernels: str


class RecordedRun(Record):
    """One model on one data set; `images` and `outputs` name arrays of the file.

    source_sha256: the file from which the model was compiled for an accelerator; health: what was watched on the way.
    """

    name: str
    format: str
    model_sha256: str
    data_sha256: str
    n: int
    images: str
    outputs: str
    asked: Asked
    hello: dict[str, Any]
    latency: Latency | None = None
    peak_memory_mb: float | None = None
    source_sha256: str | None = None
    health: dict[str, Any] = Field(default_factory=dict)
    instructions: int | None = None


class RecordingHeader(Record):
    """What stands in the file beside the arrays; `when` is UTC, `command` the line that records it again."""

    schema_: Literal["edgeval/recording/1"] = Field(default="edgeval/recording/1", alias="schema")
    target: str
    origin: Origin
    fidelity: str | None = None
    facts: dict[str, Any]
    when: str
    edgeval: str
    command: str = ""
    runs: tuple[RecordedRun, ...]


@dataclass(frozen=True)
class Recording:
    """A whole recording.

    arrays: per run the raw outputs (N, C), and per data set (N, 16) uint8, the start of the SHA-256 of each image;
    sha256: of everything in the file.
    """

    header: RecordingHeader
    arrays: Arrays
    sha256: str

    @property
    def mark(self) -> Recorded:
        """What every replayed number says of its origin."""
        head = self.header
        return Recorded(target=head.target, origin=head.origin, when=head.when, sha256=self.sha256)


def image_digests(images: NDArray[np.generic]) -> NDArray[np.uint8]:
    """(N, 16) uint8: the start of the SHA-256 of each image (H, W, C), its type and shape included."""
    head = f"{images.dtype.str}{images.shape[1:]}".encode()
    joined = b"".join(
        hashlib.sha256(head + np.ascontiguousarray(image).tobytes()).digest()[:DIGEST_BYTES] for image in images
    )
    return np.frombuffer(joined, np.uint8).reshape(len(images), DIGEST_BYTES)


def encode_recording(header: RecordingHeader, arrays: Arrays) -> tuple[bytes, str]:
    """The file's bytes, and the hash of what it holds."""
    text = header.model_dump_json(by_alias=True)
    sha256, buffer = _sha256(text, arrays), io.BytesIO()
    np.savez_compressed(buffer, header=np.array(text), sha256=np.array(sha256), **arrays)  # type: ignore[arg-type]
    return buffer.getvalue(), sha256


def read_recording(path: Path, expected: str | None = None) -> Recording:
    """The recording in a file; `expected` is the hash that a card pins.

    Raises UnreachableError if it is not there, IntegrityError if it is damaged or was changed.
    """
    if not path.is_file():
        hint = "bring it here, or record it: edgeval run --target DEVICE --record FILE"
        raise UnreachableError("the recording is not there", seen=path, hint=hint)
    mend = "bring the recording back as it was made, or record it again: edgeval run --target DEVICE --record FILE"
    try:
        arrays = read_npz(path)
        text, said = str(arrays.pop("header")), str(arrays.pop("sha256"))
        header = RecordingHeader.model_validate(json.loads(text))
    except DataError as error:
        raise IntegrityError(f"{path} is not a whole recording", seen=error.seen or error.what, hint=mend) from error
    except (KeyError, json.JSONDecodeError, RecursionError) as error:
        seen = f"no array {error}" if isinstance(error, KeyError) else error
        raise IntegrityError(f"{path} is not a whole recording", seen=seen, hint=mend) from error
    except ValidationError as error:
        raise IntegrityError(f"{path} is not a recording: {explain(RecordingHeader, error)}", hint=mend) from error
    found = _sha256(text, arrays)
    if found != said:
        seen = f"sha256 {found[:12]}, written {said[:12]}"
        raise IntegrityError(f"{path} was changed since it was recorded", seen=seen, hint=mend)
    if expected not in (None, found):
        seen = f"sha256 {found[:12]}, card {str(expected)[:12]}"
        raise IntegrityError(f"{path} is not the recording that its card names", seen=seen, hint=mend)
    _check(path, header, arrays, mend)
    return Recording(header, arrays, found)


def is_recording(path: Path) -> bool:
    """Whether a file is laid out as a recording, be it an older one or a changed one."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {"header.npy", "sha256.npy"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _check(path: Path, header: RecordingHeader, arrays: Arrays, mend: str) -> None:
    """Raise IntegrityError unless every run has its arrays, in the shapes that it says."""
    for run in header.runs:
        outputs, images = arrays.get(run.outputs), arrays.get(run.images)
        if outputs is None or images is None or outputs.ndim != 2 or images.shape != (run.n, DIGEST_BYTES):
            raise IntegrityError(f"{path} lacks answers that it names", seen=run.name, hint=mend)
        if len(outputs) != run.n or outputs.dtype.kind not in "fiu" or images.dtype != np.uint8:
            raise IntegrityError(f"{path} holds answers of another shape", seen=run.name, hint=mend)


def _sha256(header: str, arrays: Arrays) -> str:
    """One hash of the header and of all arrays with names, types and shapes."""
    digest = hashlib.sha256(header.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"\0{name}\0{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()

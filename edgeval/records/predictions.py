"""Predictions: what one model answered for each sample, and where those answers came from."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from edgeval.archive import as_labels, as_text, as_unicode, read_npz
from edgeval.errors import DataError
from edgeval.records.arena import Arena
from edgeval.records.artifact import Preprocess
from edgeval.records.cards import Record, explain
from edgeval.records.target import Origin, Recorded

Kind = Literal["logits", "probs", "classes"]
MOST_CLASSES = 100_000
BLOCK_CELLS = 1_000_000
Floats = NDArray[np.float64]


class Latency(Record):
    """Milliseconds an image, batch 1, warm-up discarded."""

    p50: float
    p95: float
    n: int
    threads: int


class Source(Record):
    """Where predictions came from.

    recording: for `replayed` answers, what they were replayed from;
    leaked: how many of the samples calibrated the model, by the content of the images; None where it is not known.
    instructions: for one image, counted on an emulated board.
    """

    name: str
    format: str
    origin: Origin = "imported"
    sha256: str | None = None
    params: int | None = None
    size_bytes: int | None = None
    target: str | None = None
    runtime: dict[str, Any] | None = None
    host: dict[str, Any] | None = None
    fidelity: str | None = None
    recording: Recorded | None = None
    data_sha256: str | None = None
    leaked: int | None = None
    answers_sha256: str | None = None
    preprocess: Preprocess | None = None
    latency: Latency | None = None
    peak_memory_mb: float | None = None
    instructions: int | None = None
    arena: Arena | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Predictions:
    """One model's answers.

    labels: (N,) int64; outputs: (N, C) float32 logits or probabilities, None where only classes are known;
    classes: (N,) int64, the top-1 answer (lowest index on ties); ids: N strings, None where the table has none.
    """

    labels: NDArray[np.int64]
    classes: NDArray[np.int64]
    class_names: tuple[str, ...]
    kind: Kind
    source: Source
    outputs: NDArray[np.float32] | None = None
    ids: tuple[str, ...] | None = None
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def correct(self) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = self.classes == self.labels
        return right

    @cached_property
    def probabilities(self) -> Floats | None:
        """(N, C) float64; the softmax of logits, probabilities as the model gave them, None for bare classes."""
        if self.outputs is None:
            return None
        values = self.outputs.astype(np.float64)
        return softmax(values) if self.kind == "logits" else values

    @cached_property
    def confidences(self) -> Floats | None:
        """(N,) probability of the top-1 answer, computed in blocks of rows: `probabilities` may not fit twice."""
        if self.outputs is None:
            return None
        found, rows = np.empty(len(self)), max(1, BLOCK_CELLS // self.outputs.shape[1])
        for start in range(0, len(self), rows):
            values = self.outputs[start : start + rows].astype(np.float64)
            found[start : start + rows] = (softmax(values) if self.kind == "logits" else values).max(axis=1)
        return found

    @cached_property
    def ties(self) -> int:
        """Samples whose highest output is shared by several classes (the int8 grid makes these)."""
        if self.outputs is None:
            return 0
        return int(((self.outputs == self.outputs.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum())

    def with_source(self, **values: Any) -> Predictions:
        """A copy whose source differs in these values."""
        return replace(self, source=self.source.model_copy(update=values))

    def take(self, index: NDArray[np.integer]) -> Predictions:
        """The samples at these positions, in this order."""
        return replace(
            self,
            labels=self.labels[index],
            classes=self.classes[index],
            outputs=None if self.outputs is None else self.outputs[index],
            ids=None if self.ids is None else tuple(self.ids[i] for i in index),
        )


def softmax(logits: Floats) -> Floats:
    """Softmax over the last axis, safe against overflow."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def from_outputs(
    outputs: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    kind: Literal["logits", "probs"],
    class_names: tuple[str, ...],
    ids: tuple[str, ...] | None,
    source: Source,
) -> Predictions:
    """Predictions of a model that ran: top-1 is the lowest index among the highest outputs."""
    classes = outputs.argmax(axis=1).astype(np.int64)
    return Predictions(labels, classes, class_names, kind, source, outputs, ids)


def looks_like_probabilities(outputs: NDArray[np.floating]) -> bool:
    """Whether every row is non-negative and sums to 1 as far as an int8 grid allows (half a step of 1/256 a class)."""
    return not _improper(outputs).any()


def _improper(outputs: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(N,) rows that are no probabilities: negative, over 1, or summing to what no int8 grid explains."""
    slack = min(0.01 + outputs.shape[1] / 512, 0.25)
    sums = outputs.sum(axis=1, dtype=np.float64)
    bad: NDArray[np.bool_] = (outputs < 0).any(axis=1) | (outputs > 1.001).any(axis=1) | (abs(sums - 1) > slack)
    return bad


def encode(predictions: Predictions) -> bytes:
    """The table as .npz bytes, in the public form that `decode` and `edgeval score` read."""
    source = predictions.source.model_copy(update={"answers_sha256": _answers_sha256(predictions)})
    arrays: dict[str, NDArray[np.generic]] = {
        "labels": predictions.labels,
        "class_names": np.array(predictions.class_names),
        "header": np.array(source.model_dump_json()),
    }
    if predictions.ids is not None:
        arrays["ids"] = np.array(predictions.ids)
    if predictions.outputs is None:
        arrays["predictions"] = predictions.classes
    else:
        arrays[predictions.kind] = predictions.outputs
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def read_table(path: Path, *, trusted: bool = False) -> Predictions:
    """A table of predictions from a file. Raises DataError.

    Unless `trusted` (edgeval wrote it), its origin is `imported` whatever its header says.
    """
    arrays = read_npz(path)
    if "labels" not in arrays:
        raise DataError(f"{path} has no array 'labels'", seen=", ".join(arrays) or "nothing")
    labels = as_labels(arrays["labels"], f"{path}: labels")
    if not len(labels):
        raise DataError(f"{path} holds no sample", seen="labels of length 0")
    kind, outputs, classes = _answers(arrays, path, len(labels))
    names = _class_names(arrays, path, labels, classes, outputs)
    ids = _ids(arrays, path, len(labels))
    if not trusted and kind == "probs" and outputs is not None:
        _check_probabilities(outputs, path)
    found = Predictions(labels, classes, names, kind, _source(arrays, path, trusted), outputs, ids)
    if trusted and found.source.answers_sha256 not in (None, _answers_sha256(found)):
        raise DataError(f"{path}: the answers were changed since they were written", seen="another hash")
    return found


def _answers_sha256(table: Predictions) -> str:
    """One hash of labels, ids and answers."""
    digest = hashlib.sha256("\n".join(table.ids or ()).encode())
    for array in (table.labels, table.classes, *(() if table.outputs is None else (table.outputs,))):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _answers(
    arrays: dict[str, NDArray[np.generic]], path: Path, n: int
) -> tuple[Kind, NDArray[np.float32] | None, NDArray[np.int64]]:
    """The one array of answers: logits, probs or predictions."""
    given = [key for key in ("logits", "probs", "predictions") if key in arrays]
    if len(given) != 1:
        raise DataError(f"{path} must hold exactly one of logits, probs, predictions", seen=", ".join(given) or "none")
    values = arrays[given[0]]
    if len(values.shape) == 0 or len(values) != n:
        raise DataError(f"{path}: labels and {given[0]} differ in length", seen=f"{n} and {values.shape}")
    if given[0] == "predictions":
        return "classes", None, as_labels(values, f"{path}: predictions")
    if values.ndim != 2 or values.shape[1] < 2 or values.dtype.kind not in "fiu":
        raise DataError(f"{path}: {given[0]} must be numbers (N, classes)", seen=f"{values.dtype} {values.shape}")
    with np.errstate(over="ignore"):  # what does not fit float32 becomes infinite, and is refused as such
        outputs = values.astype(np.float32)
    if not np.isfinite(outputs).all():
        bad = int((~np.isfinite(outputs)).any(axis=1).sum())
        raise DataError(f"{path}: {given[0]} hold NaN or infinite values", seen=f"{bad} of {n} rows")
    kind: Kind = "logits" if given[0] == "logits" else "probs"
    return kind, outputs, values.argmax(axis=1).astype(np.int64)


def _class_names(
    arrays: dict[str, NDArray[np.generic]],
    path: Path,
    labels: NDArray[np.int64],
    classes: NDArray[np.int64],
    outputs: NDArray[np.float32] | None,
) -> tuple[str, ...]:
    """Class names, given or numbered; every label and answer must have one."""
    highest = int(max(labels.max(), classes.max()))
    count = highest + 1 if outputs is None else outputs.shape[1]
    if count > MOST_CLASSES:
        raise DataError(f"{path}: there are too many classes", seen=count, hint=f"at most {MOST_CLASSES:,} are read")
    names = as_text(arrays["class_names"]) if "class_names" in arrays else tuple(str(i) for i in range(count))
    if outputs is not None and len(names) != outputs.shape[1]:
        seen = f"{len(names)} and {outputs.shape[1]}"
        raise DataError(f"{path}: class_names and outputs differ in number", seen=seen)
    if len(set(names)) != len(names):
        twice, hint = Counter(names).most_common(1)[0][0], "give each class its own name, or leave class_names away"
        raise DataError(f"{path}: a class name occurs twice in class_names", seen=twice, hint=hint)
    if (lowest := int(min(labels.min(), classes.min()))) < 0 or highest >= len(names):
        raise DataError(f"{path}: labels and answers must lie in 0..{len(names) - 1}", seen=f"{lowest}..{highest}")
    return names


def _ids(arrays: dict[str, NDArray[np.generic]], path: Path, n: int) -> tuple[str, ...] | None:
    """Sample ids, if the table has them; all different."""
    if "ids" not in arrays:
        return None
    ids = as_text(arrays["ids"])
    if len(ids) != n:
        raise DataError(f"{path}: ids and labels differ in length", seen=f"{len(ids)} and {n}")
    if len(set(ids)) != n:
        raise DataError(f"{path}: ids must be different from one another", seen=f"{n - len(set(ids))} repeats")
    return ids


def _check_probabilities(probs: NDArray[np.float32], path: Path) -> None:
    """Raise DataError unless rows are probabilities."""
    bad, sums = _improper(probs), probs.sum(axis=1, dtype=np.float64)
    if bad.any():
        first = int(bad.argmax())
        raise DataError(
            f"{path}: probs must be non-negative and sum to 1 in each row",
            seen=f"row {first} sums to {sums[first]:.4g}; {int(bad.sum())} such rows",
            hint="if these are logits, name the array logits",
        )


def _source(arrays: dict[str, NDArray[np.generic]], path: Path, trusted: bool) -> Source:
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

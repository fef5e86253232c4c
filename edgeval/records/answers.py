"""Compact answers of many models to one test set: three bytes a sample, so that a study of 90 models fits in 3 MB."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from edgeval.archive import as_labels, as_text, read_npz
from edgeval.errors import DataError
from edgeval.records.cards import Record, explain
from edgeval.records.predictions import Source

LARGEST = 2 * 2**30
MOST_MODELS = 100_000
MOST_PARAMS = 10**15
SOURCE = "give the answers.npz that edgeval study tiny-regime kept"
SCHEMA = "edgeval/answers/1"
Share = Field(default=None, ge=0, le=1)
NonNegative = Field(default=None, ge=0)


class Entry(Record):
    """One model of a study: which it is, where its answers came from, and the figures that they alone do not give.

    temperature: T with the lowest NLL on 30% of the test set; ece_before and ece_after: on the other 70% (PAPERS 1.3).
    """

    ladder: str
    rung: str
    seed: int = Field(ge=0)
    protocol: str
    source: Source
    top5: float | None = Share
    nll: float | None = NonNegative
    brier: float | None = NonNegative
    temperature: float | None = NonNegative
    ece_before: float | None = Share
    ece_after: float | None = Share

    @property
    def params(self) -> int:
        return self.source.params or 0

    @property
    def place(self) -> tuple[str, str]:
        """The format, and the target that ran it."""
        return self.source.format, self.source.target or "desktop"

    @property
    def key(self) -> tuple[str, str, int, str, str]:
        """What tells one model's answers from another's."""
        return self.ladder, self.rung, self.seed, *self.place


@dataclass(frozen=True)
class Answers:
    """The answers of M models to the same N samples.

    labels: (N,) int64; classes: (M, N) int64, the top-1 answers; confidences: (M, N) float16, their probabilities.
    """

    data_sha256: str
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    models: tuple[Entry, ...]
    classes: NDArray[np.int64]
    confidences: NDArray[np.float16]

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """(M, N) whether each answer is right."""
        right: NDArray[np.bool_] = self.classes == self.labels
        return right

    def having(self, model: Entry, classes: NDArray[np.int64], confidences: NDArray[np.floating]) -> Answers:
        """A copy that holds this model's answers too, instead of earlier ones of the same model."""
        others = self.only([k for k, other in enumerate(self.models) if other.key != model.key])
        return replace(
            others,
            models=(*others.models, model),
            classes=np.concatenate([others.classes, classes[None]]),
            confidences=np.concatenate([others.confidences, confidences.astype(np.float16)[None]]),
        )

    def only(self, wanted: Sequence[int]) -> Answers:
        """The models at these positions."""
        index = np.array(wanted, dtype=np.int64)
        models = tuple(self.models[k] for k in wanted)
        return replace(self, models=models, classes=self.classes[index], confidences=self.confidences[index])


def no_answers(data_sha256: str, labels: NDArray[np.int64], class_names: tuple[str, ...]) -> Answers:
    """The answers of no model yet."""
    nothing = np.empty((0, len(labels)))
    return Answers(data_sha256, labels, class_names, (), nothing.astype(np.int64), nothing.astype(np.float16))


def encode(answers: Answers) -> bytes:
    """The answers as .npz bytes: one byte a label and answer (two beyond 256 classes), two a confidence."""
    narrow = np.uint8 if len(answers.class_names) <= 256 else np.uint16
    header = {
        "schema": SCHEMA,
        "data_sha256": answers.data_sha256,
        "models": [model.model_dump(mode="json", by_alias=True) for model in answers.models],
    }
    arrays: dict[str, NDArray[Any]] = {
        "header": np.array(json.dumps(header)),
        "class_names": np.array(answers.class_names),
        "labels": answers.labels.astype(narrow),
        "classes": answers.classes.astype(narrow),
        "confidences": answers.confidences,
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def read_answers(path: Path) -> Answers:
    """Answers from a file that `encode` made. Raises DataError."""
    arrays = read_npz(path, limit=LARGEST)
    lacking = {"header", "class_names", "labels", "classes", "confidences"} - set(arrays)
    if lacking:
        raise DataError(f"{path} is no file of answers", seen=f"no array {sorted(lacking)[0]}", hint=SOURCE)
    try:
        header = json.loads(str(arrays["header"]))
        _check_header(path, header)
        models = TypeAdapter(tuple[Entry, ...]).validate_python(header["models"])
        sha = str(header["data_sha256"])
    except ValidationError as error:
        raise DataError(f"{path}: its header cannot be used: {explain(Entry, error)}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{path}: its header cannot be read", seen=error) from error
    labels, names = as_labels(arrays["labels"], f"{path}: labels"), as_text(arrays["class_names"])
    shape = (len(models), len(labels))
    for name in ("classes", "confidences"):
        if arrays[name].shape != shape:
            raise DataError(f"{path}: {name} must have the shape {shape}", seen=arrays[name].shape)
    _check(path, arrays, labels, names, models)
    classes, confidences = arrays["classes"].astype(np.int64), arrays["confidences"].astype(np.float16)
    return Answers(sha, labels, names, models, classes, confidences)


def _check_header(path: Path, header: dict[str, Any]) -> None:
    """Raise DataError for another edgeval's file, or for more models than one could have trained."""
    if header["schema"] != SCHEMA:
        hint = "use the edgeval that wrote it"
        raise DataError(f"{path} is not of the schema {SCHEMA}", seen=header["schema"], hint=hint)
    if len(header["models"]) > MOST_MODELS:
        raise DataError(f"{path} lists more than {MOST_MODELS:,} models", seen=f"{len(header['models']):,}")


def _check(
    path: Path,
    arrays: dict[str, NDArray[np.generic]],
    labels: NDArray[np.int64],
    names: tuple[str, ...],
    models: tuple[Entry, ...],
) -> None:
    """Raise DataError for values that no answers have."""
    if not len(labels) or not len(names):
        raise DataError(f"{path} holds no sample")
    kinds = (arrays["classes"].dtype.kind, arrays["confidences"].dtype.kind)
    if kinds[0] not in "iu" or kinds[1] != "f":
        raise DataError(f"{path}: classes must be whole numbers and confidences fractions", seen=kinds)
    answered = arrays["classes"].astype(np.int64)
    for what, values in (("labels", labels), ("classes", answered)):
        if values.size and not 0 <= values.min() <= values.max() < len(names):
            raise DataError(f"{path}: {what} must lie in 0..{len(names) - 1}", seen=f"{values.min()}..{values.max()}")
    sure = arrays["confidences"].astype(np.float64)
    if not ((sure >= 0) & (sure <= 1)).all():
        raise DataError(f"{path}: confidences must lie in 0..1", seen=sure[~((sure >= 0) & (sure <= 1))][0])
    sizes = [model.source.params for model in models]
    if bad := [size for size in sizes if not 0 < (size or 0) <= MOST_PARAMS]:
        raise DataError(f"{path}: params must lie in 1..{MOST_PARAMS}", seen=bad[0])
    if len({model.key for model in models}) != len(models):
        raise DataError(f"{path}: a model occurs twice", seen=len(models))

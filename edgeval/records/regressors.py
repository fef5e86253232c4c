"""Compact errors of many regressors on one test set: two bytes an output and sample."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from edgeval.archive import as_text, read_npz
from edgeval.errors import DataError, IntegrityError
from edgeval.records.artifact import TORCH
from edgeval.records.cards import Record, explain
from edgeval.records.predictions import Source
from edgeval.records.units import Unit
from edgeval.records.values import numbers

Floats = NDArray[np.float64]
SCHEMA = "edgeval/regressors/1"
LARGEST = 2 * 2**30
MOST_MODELS = 100_000
MOST_PARAMS = 10**15
SOURCE = "give the errors.npz that edgeval study deep-regression kept"
FARTHEST = 6e4  # what float16 holds
BASELINE = "baseline"
MEAN, RIDGE = "mean predictor", "kernel ridge"  # the nets of baselines


class Regressor(Record):
    """One model of a study: which it is, and where its answers came from.

    images: of its training set; rate: the learning rate that was picked; steps: of the grid that each output lies on,
    where it is quantised. mark: a hash of all but rate and seed that decides a network's weights, train_sha256: of its
    training images; older files have neither. A baseline's source has the format `baseline`, and no parameters.
    """

    ladder: str
    net: str
    rung: str
    width: float = Field(ge=0, allow_inf_nan=False)
    images: int = Field(ge=1, le=MOST_PARAMS)
    seed: int = Field(ge=0)
    protocol: str
    source: Source
    rate: float | None = Field(default=None, gt=0)
    steps: tuple[Annotated[float, Field(gt=0, le=FARTHEST)], ...] | None = None
    mark: str | None = None
    train_sha256: str | None = None

    @property
    def params(self) -> int:
        return self.source.params or 0

    @property
    def place(self) -> tuple[str, str]:
        """The format, and the target that ran it."""
        return self.source.format, self.source.target or "desktop"

    @property
    def network(self) -> tuple[str, str, int]:
        """What was trained, wherever it runs."""
        return self.ladder, self.rung, self.seed

    @property
    def key(self) -> tuple[str, str, int, str, str]:
        """What tells one model's answers from another's."""
        return *self.network, *self.place

    def says(self, other: Regressor) -> bool:
        """Whether this is the other, or the same as an older file has it."""
        how = {} if self.mark else {"mark": other.mark, "train_sha256": other.train_sha256}
        return self.model_copy(update=how) == other

    @property
    def trained(self) -> bool:
        """Whether these are answers as trained, or a baseline's, and not of an exported file."""
        return self.source.format in (TORCH, BASELINE)


@dataclass(frozen=True)
class Regressors:
    """The answers of M models to the same N samples of K outputs.

    targets: (N, K); offsets: (M, N, K) float16, as trained: answer minus target; as deployed: answer minus the answer
    as trained, so that small moves keep their digits; units: of each output, () where they are not known.
    """

    data_sha256: str
    output_names: tuple[str, ...]
    targets: Floats
    models: tuple[Regressor, ...]
    offsets: NDArray[np.float16]
    units: tuple[Unit, ...] = ()

    def errors(self, k: int) -> Floats:
        """(N, K) answer minus target of model k."""
        twin = self.twin(k)
        own = self.offsets[k].astype(np.float64)
        return np.asarray(own if twin == k else own + self.offsets[twin])

    def moved(self, k: int) -> Floats | None:
        """(N, K) how far deployment moved each answer of model k; None as trained."""
        return None if self.models[k].trained else self.offsets[k].astype(np.float64)

    def twin(self, k: int) -> int:
        """The position of the same network as trained."""
        model = self.models[k]
        if model.trained:
            return k
        return next(i for i, other in enumerate(self.models) if other.trained and other.network == model.network)

    def having(self, model: Regressor, answers: Floats, trained: Floats | None = None) -> Regressors:
        """A copy that holds these answers (N, K) too, in place of earlier ones; a network that was trained again loses
        its deployed answers. trained: the same network's answers as trained, in full precision, where it is deployed.
        Raises IntegrityError where answers are too far off, DataError where those as trained are not there."""
        same = [m.network == model.network if model.trained else m.key == model.key for m in self.models]
        kept = self.only([k for k, gone in enumerate(same) if not gone])
        offsets = answers - (self.targets if trained is None else trained)
        there = any(m.trained and m.network == model.network for m in kept.models)
        if not model.trained and (trained is None or not there):
            raise DataError("a deployed network needs its answers as trained first", seen=model.rung)
        if not (np.abs(offsets) < FARTHEST).all():
            hint = "give smaller rates in the card's [regression], or scale these targets"
            seen = f"{np.abs(offsets).max():.3g} off, seed {model.seed}"
            raise IntegrityError(f"{model.rung} answers too far from the targets", seen=seen, hint=hint)
        both = np.concatenate([kept.offsets, offsets.astype(np.float16)[None]])
        return replace(kept, models=(*kept.models, model), offsets=both)

    def only(self, wanted: Sequence[int]) -> Regressors:
        """The models at these positions."""
        index = np.array(wanted, dtype=np.int64)
        return replace(self, models=tuple(self.models[k] for k in wanted), offsets=self.offsets[index])


def no_regressors(
    data_sha256: str, targets: Floats, output_names: tuple[str, ...], *, units: tuple[Unit, ...] = ()
) -> Regressors:
    """The answers of no model yet."""
    return Regressors(data_sha256, output_names, targets, (), np.empty((0, *targets.shape), dtype=np.float16), units)


def encode_regressors(found: Regressors) -> bytes:
    """The answers as .npz bytes."""
    header = {
        "schema": SCHEMA,
        "data_sha256": found.data_sha256,
        "units": [unit.model_dump() for unit in found.units],
        "models": [model.model_dump(mode="json", by_alias=True, exclude_none=True) for model in found.models],
    }
    arrays: dict[str, NDArray[Any]] = {
        "header": np.array(json.dumps(header)),
        "output_names": np.array(found.output_names),
        "targets": found.targets,
        "offsets": found.offsets,
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def read_regressors(path: Path) -> Regressors:
    """Answers from a file that `encode_regressors` made. Raises DataError."""
    arrays = read_npz(path, limit=LARGEST)
    lacking = {"header", "output_names", "targets", "offsets"} - set(arrays)
    if lacking:
        raise DataError(f"{path} holds no study of regressors", seen=f"no array {sorted(lacking)[0]}", hint=SOURCE)
    try:
        header = json.loads(str(arrays["header"]))
        if header["schema"] != SCHEMA or len(header["models"]) > MOST_MODELS:
            hint = "use the edgeval that wrote it"
            raise DataError(f"{path} is not of the schema {SCHEMA}", seen=str(header["schema"])[:80], hint=hint)
        models = TypeAdapter(tuple[Regressor, ...]).validate_python(header["models"])
        units = TypeAdapter(tuple[Unit, ...]).validate_python(header.get("units", ()))
        sha = str(header["data_sha256"])
    except ValidationError as error:
        raise DataError(f"{path}: its header cannot be used: {explain(Regressor, error)}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{path}: its header cannot be read", seen=error) from error
    targets, names = numbers(arrays["targets"], f"{path}: targets"), as_text(arrays["output_names"])
    _check(path, arrays["offsets"], (len(models), *targets.shape), names, models)
    if len(units) not in (0, len(names)):
        raise DataError(f"{path}: give a unit for each of {len(names)} outputs, or none", seen=len(units))
    return Regressors(sha, names, targets, models, arrays["offsets"].astype(np.float16), units)


def _check(
    path: Path,
    offsets: NDArray[np.generic],
    shape: tuple[int, ...],
    names: tuple[str, ...],
    models: tuple[Regressor, ...],
) -> None:
    """Raise DataError for values that no answers have."""
    if len(names) != shape[2] or len(set(names)) != len(names):
        raise DataError(f"{path}: output_names must name each output once", seen=names)
    if offsets.dtype.kind != "f" or offsets.shape != shape:
        raise DataError(f"{path}: offsets must be numbers of the shape {shape}", seen=(offsets.dtype, offsets.shape))
    if not (np.abs(offsets) < FARTHEST).all():
        raise DataError(f"{path}: offsets hold NaN or infinite values")
    sizes = [model.params for model in models if model.source.format != BASELINE]
    if bad := [size for size in sizes if not 0 < size <= MOST_PARAMS]:
        raise DataError(f"{path}: params must lie in 1..{MOST_PARAMS}", seen=bad[0])
    if bent := [model for model in models if model.steps is not None and len(model.steps) != shape[2]]:
        raise DataError(f"{path}: a model needs a step for each of {shape[2]} outputs", seen=bent[0].steps)
    if len({model.key for model in models}) != len(models):
        raise DataError(f"{path}: a model occurs twice", seen=len(models))
    there = {model.network for model in models if model.trained}
    if lost := [model for model in models if model.network not in there]:
        raise DataError(f"{path}: a deployed network lacks its answers as trained", seen=lost[0].rung)

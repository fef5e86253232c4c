"""Errors of each size of a study of regressors over its seeds, as trained and as deployed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeval.measures.logmse import LogMse
from edgeval.measures.mselaw import geometric_mean
from edgeval.measures.regression import spread_of
from edgeval.records.deep_regression import OutputErrors, SizeErrors
from edgeval.records.regressors import BASELINE, Regressor, Regressors

Floats = NDArray[np.float64]
Kind = Literal["mse", "trained", "moved"]


@dataclass(frozen=True)
class Size:
    """What tells one row of the study from another; seeds and ladders are pooled, each seed once (see `repeated`)."""

    net: str
    width: float
    images: int
    format: str
    target: str
    protocol: str


@dataclass(frozen=True)
class Squares:
    """Mean squares of each seed, (S, K): errors, errors of the same networks as trained, moves; the last two None as
    trained."""

    mse: Floats
    trained: Floats | None = None
    noise: Floats | None = None


def sizes_of(found: Regressors) -> dict[Size, list[int]]:
    """The positions of the models of each size, baselines left out: nets as they came, small before large."""
    made: dict[Size, list[int]] = {}
    again = {k for k, _ in repeated(found)}
    for k, model in enumerate(found.models):
        if model.source.format != BASELINE and k not in again:
            made.setdefault(_size(model), []).append(k)
    nets = list(dict.fromkeys(at.net for at in made))
    places = list(dict.fromkeys((at.format, at.target) for at in made))
    order = sorted(
        made,
        key=lambda at: (nets.index(at.net), places.index((at.format, at.target)), at.protocol, at.width, at.images),
    )
    return {at: sorted(made[at], key=lambda k: found.models[k].seed) for at in order}


def repeated(found: Regressors) -> list[tuple[int, int]]:
    """Models of a size and seed that an earlier ladder has too, each with that ladder's model: copies are no seeds."""
    ladders = list(dict.fromkeys(model.ladder for model in found.models))
    networks = [k for k, model in enumerate(found.models) if model.source.format != BASELINE]
    first: dict[tuple[Size, int], int] = {}
    pairs = []
    for k in sorted(networks, key=lambda k: ladders.index(found.models[k].ladder)):
        kept = first.setdefault((_size(found.models[k]), found.models[k].seed), k)
        pairs += [(k, kept)] if kept != k else []
    return pairs


def _size(model: Regressor) -> Size:
    return Size(model.net, model.width, model.images, *model.place, model.protocol)


def squares(found: Regressors, at: Sequence[int]) -> Squares:
    """Mean squares of these models."""
    mse = np.stack([(found.errors(k) ** 2).mean(axis=0) for k in at])
    if found.models[at[0]].trained:
        return Squares(mse)
    moves = [found.moved(k) for k in at]
    noise = np.stack([(moved**2).mean(axis=0) for moved in moves if moved is not None])
    return Squares(mse, np.stack([(found.errors(found.twin(k)) ** 2).mean(axis=0) for k in at]), noise)


def log_mse(found: Regressors, at: Sequence[int], output: int, kind: Kind) -> LogMse | None:
    """ln of these models' mean squares in one output: of their errors, of those of the same networks as trained, or of
    what deployment moved. None where one is exactly 0."""
    if kind == "moved":
        off = [moved[:, output] for k in at if (moved := found.moved(k)) is not None]
    else:
        off = [found.errors(k if kind == "mse" else found.twin(k))[:, output] for k in at]
    squares = np.stack(off) ** 2
    return LogMse.of(squares) if squares.any(axis=1).all() else None


def rows(found: Regressors, made: Mapping[Size, Sequence[int]], band: Sequence[float]) -> list[SizeErrors]:
    """Every size as a row."""
    return [_row(found, size, at, np.array(band)) for size, at in made.items()]


def _row(found: Regressors, size: Size, at: Sequence[int], band: Floats) -> SizeErrors:
    models = [found.models[k] for k in at]
    first, latencies = models[0], [m.source.latency.p50 for m in models if m.source.latency]
    return SizeErrors(
        net=size.net,
        rung=first.rung,
        width=size.width,
        params=first.params,
        images=size.images,
        format=size.format,
        target=size.target,
        origin=first.source.origin,
        protocol=size.protocol,
        seeds=tuple(m.seed for m in models),
        rates=tuple(dict.fromkeys(m.rate for m in models if m.rate is not None)),
        size_bytes=first.source.size_bytes,
        latency_p50_ms=float(np.median(latencies)) if latencies else None,
        outputs=_outputs(found, at, band),
    )


def _outputs(found: Regressors, at: Sequence[int], band: Floats) -> tuple[OutputErrors, ...]:
    """Each output of one size."""
    errors = np.stack([found.errors(k) for k in at])  # (S, N, K)
    square, inside = squares(found, at), np.abs(errors) <= band
    before = None
    if square.trained is not None:
        before = np.abs(np.stack([found.errors(found.twin(k)) for k in at])) <= band
    steps = [found.models[k].steps for k in at]
    told = []
    for j, name in enumerate(found.output_names):
        spread = spread_of(found.targets[:, j])
        mine, size = square.mse[:, j], np.abs(errors[:, :, j])
        told.append(
            OutputErrors(
                output=name,
                mse=positive_mean(mine),
                mse_seeds=tuple(mine.tolist()),
                bias=float(errors[:, :, j].mean()),
                r2=1 - float(mine.mean()) / float(spread.mean()) if spread is not None else None,
                p95=float(np.quantile(size, 0.95, axis=1).mean()),
                max_abs=float(size.max(axis=1).mean()),
                within=float(inside[:, :, j].mean()),
                rmse=positive_mean(mine) ** 0.5 * found.units[j].span if found.units else None,
                step=float(np.mean([s[j] for s in steps if s])) if all(steps) else None,
                **_moves(square, j, inside[:, :, j], None if before is None else before[:, :, j]),
            )
        )
    return tuple(told)


def _moves(
    square: Squares, j: int, inside: NDArray[np.bool_], before: NDArray[np.bool_] | None
) -> dict[str, float | None]:
    """What deployment did to one output; nothing as trained."""
    if before is None or square.trained is None or square.noise is None:
        return {}
    return {
        "noise": positive_mean(square.noise[:, j]),
        "ratio": positive_mean(square.mse[:, j]) / max(positive_mean(square.trained[:, j]), np.finfo(float).tiny),
        "left": float((before & ~inside).mean()),
        "came": float((~before & inside).mean()),
    }


def positive_mean(values: Floats) -> float:
    """The geometric mean; 0 where a value is 0, as for files that answer exactly as trained."""
    return geometric_mean(values) if (values > 0).all() else 0.0

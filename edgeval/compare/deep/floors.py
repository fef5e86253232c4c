"""Where quantisation stops a law: the size at which what int8 adds is as large as the error as trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.deep.laws import Series, exponent, logs_of
from edgeval.compare.deep.sizes import positive_mean, squares
from edgeval.measures.logmse import level_set
from edgeval.measures.mselaw import grid_noise
from edgeval.measures.powerlaw import FEWEST, fit_power
from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import QuantisationFloor
from edgeval.records.laws import Exponent
from edgeval.records.regressors import Regressors

Floats = NDArray[np.float64]
Side = Literal["within", "before", "after"]
Ends = tuple[float | None, float | None]
NOTICED = 1e-3  # of the error as trained: what a format must move the answers of some size by to be looked at


def floors(found: Regressors, series: Sequence[Series]) -> list[QuantisationFloor]:
    """Every output of every deployed series that has its series as trained and moves answers at all."""
    trained = {one.question: one for one in series if one.format == TORCH}
    return [
        floor
        for one in series
        if one.format != TORCH and one.question in trained
        for k in range(len(found.output_names))
        if (floor := _floor(found, one, k)) is not None
    ]


def _floor(found: Regressors, series: Series, k: int) -> QuantisationFloor | None:
    parts = [squares(found, at) for at in series.models]
    noise = np.array([positive_mean(part.noise[:, k]) for part in parts if part.noise is not None])
    trained = np.array([positive_mean(part.trained[:, k]) for part in parts if part.trained is not None])
    deployed = np.array([positive_mean(part.mse[:, k]) for part in parts])
    if min(trained.min(), deployed.min()) <= 0 or (noise < NOTICED * trained).all() or noise.min() <= 0:
        return None
    sizes = np.array(series.sizes, float)
    side, stops = crossing(sizes, trained, noise)
    before = sizes <= (stops or sizes[-1]) if side == "within" else np.full(len(sizes), side == "after")
    steps = [found.models[i].steps for i in series.models[-1]]
    step = float(np.mean([s[k] for s in steps if s])) if all(steps) else None
    grid = None if step is None else grid_noise(step)
    return QuantisationFloor(
        net=series.net,
        along=series.along,
        fixed=series.fixed,
        output=found.output_names[k],
        format=series.format,
        target=series.target,
        points=tuple(zip(series.sizes, trained.tolist(), noise.tolist(), deployed.tolist(), strict=True)),
        seeds=min(len(at) for at in series.models),
        side=side,
        stops=stops,
        undecided=reaching(side, _undecided(found, series, k)),
        beyond=_beyond(sizes, trained, noise) if side == "after" else None,
        before=_exponent(sizes[before], deployed[before]),
        whole=exponent(fit_power(sizes, deployed)),
        trained=exponent(fit_power(sizes, trained)),
        step=step,
        grid=grid,
        grid_share=None if grid is None else grid / float(noise[-1]),
    )


def _undecided(found: Regressors, series: Series, k: int) -> Ends | None:
    """The sizes between which the noise cannot be told from the error of the same networks as trained."""
    moved, trained = logs_of(found, series, k, "moved"), logs_of(found, series, k, "trained")
    if moved is None or trained is None:
        return None
    leads = [one - other for one, other in zip(moved, trained, strict=True)]
    ends = level_set(np.log(np.array(series.sizes, float)), leads)
    if ends is None:
        return None
    low, high = (None if end is None else float(np.exp(end)) for end in ends)
    return low, high


def reaching(side: Side, ends: Ends | None) -> Ends | None:
    """The interval of a size that lies on this side of the window; one that ends before it is about other sizes, where
    few seeds leave in doubt which is the larger."""
    if ends is None or (side == "after" and ends[1] is not None) or (side == "before" and ends[0] is not None):
        return None
    return ends


def crossing(sizes: Floats, trained: Floats, noise: Floats) -> tuple[Side, float | None]:
    """Where the noise first stays above the error as trained, by straight lines on logarithmic axes; all (n,)."""
    lead = np.log(noise) - np.log(trained)
    above = lead >= 0
    if above.all():
        return "before", None
    if not above[-1]:
        return "after", None
    last = int(np.flatnonzero(~above)[-1])
    share = -lead[last] / (lead[last + 1] - lead[last])
    x = np.log(sizes)
    return "within", float(np.exp(x[last] + share * (x[last + 1] - x[last])))


def _beyond(sizes: Floats, trained: Floats, noise: Floats) -> float | None:
    """Where the laws of both would meet beyond the largest size; None where they never do."""
    one, other = fit_power(sizes, trained), fit_power(sizes, noise)
    if one.alpha <= other.alpha:
        return None
    met = float(np.exp((np.log(one.c) - np.log(other.c)) / (one.alpha - other.alpha)))
    return met if np.isfinite(met) and met > sizes[-1] else None


def _exponent(sizes: Floats, errors: Floats) -> Exponent | None:
    return exponent(fit_power(sizes, errors)) if len(sizes) >= FEWEST else None

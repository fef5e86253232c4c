"""More images or a larger net: what twice of either would do to the error, by the last sizes of both laws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import hypot

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.deep.laws import Series, errors_of
from edgeval.measures.powerlaw import FEWEST
from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import Doubling
from edgeval.records.regressors import Regressors

Floats = NDArray[np.float64]
REACH = 4.0  # sizes within this factor of the last one count


@dataclass(frozen=True)
class Slope:
    """An exponent by least squares over the last sizes: a weight for the logarithm of each size's geometric mean."""

    weights: Floats
    logs: tuple[Floats, ...]

    @property
    def value(self) -> float:
        return float(-self.weights @ [log.mean() for log in self.logs])

    @property
    def variances(self) -> Floats:
        """What each size would add to the variance of the exponent, for seeds of variance 1."""
        return np.asarray(self.weights**2 / [len(log) for log in self.logs])


def doublings(found: Regressors, series: Sequence[Series]) -> list[Doubling]:
    """For each network as trained whose two laws share a size, each output."""
    mine = [one for one in series if one.format == TORCH]
    images = [one for one in mine if one.along == "images"]
    params = [one for one in mine if one.along == "parameters"]
    return [
        told
        for one, other in product(images, params)
        if one.net == other.net and (shared := set(one.models) & set(other.models))
        for k in range(len(found.output_names))
        if (told := _doubling(found, (one, other), k, min(shared))) is not None
    ]


def _doubling(found: Regressors, both: tuple[Series, Series], k: int, shared: tuple[int, ...]) -> Doubling | None:
    slopes = [_slope(found, one, k) for one in both]
    pooled = pooled_variance([log for slope in slopes if slope for log in slope.logs])
    if slopes[0] is None or slopes[1] is None or pooled is None:
        return None
    from scipy.stats import t

    variance, freedom = pooled
    beta, gamma = slopes[0].value, slopes[1].value
    spread = [float(np.sqrt(variance * slope.variances.sum())) for slope in slopes if slope]
    reach = float(t.ppf(0.975, freedom))
    lead, wide = beta - gamma, reach * hypot(*spread)
    model = found.models[shared[0]]
    return Doubling(
        net=model.net,
        output=found.output_names[k],
        images=model.images,
        params=model.params,
        by_images=2**-beta,
        by_images_ci95=_interval(beta, reach * spread[0]),
        by_params=2**-gamma,
        by_params_ci95=_interval(gamma, reach * spread[1]),
        better="cannot be told" if abs(lead) <= wide else "images" if lead > 0 else "parameters",
    )


def _interval(exponent: float, half: float) -> tuple[float, float]:
    return float(2 ** -(exponent + half)), float(2 ** -(exponent - half))


def _slope(found: Regressors, series: Series, k: int) -> Slope | None:
    """The exponent over the last sizes, None with fewer than three or an error of 0."""
    sizes = np.array(series.sizes, float)
    last = sizes * REACH >= sizes[-1] * (1 - 1e-9)
    if last.sum() < FEWEST:
        last = np.arange(len(sizes)) >= len(sizes) - FEWEST
    errors = [e for e, take in zip(errors_of(found, series, k), last, strict=True) if take]
    if any((e <= 0).any() for e in errors):
        return None
    x = np.log(sizes[last]) - np.log(sizes[last]).mean()
    return Slope(x / (x @ x), tuple(np.log(e) for e in errors))


def pooled_variance(logs: Sequence[Floats]) -> tuple[float, int] | None:
    """The variance of log MSE over seeds, pooled over sizes, and its degrees of freedom; None without two seeds."""
    freedom = sum(len(log) - 1 for log in logs)
    if freedom < 1:
        return None
    return sum(float(((log - log.mean()) ** 2).sum()) for log in logs) / freedom, freedom

"""More images or a larger net: what twice of either would do to the error, by the last sizes of both laws."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from edgeval.compare.deep.laws import Series, errors_of
from edgeval.measures.mselaw import Slope, pooled_variance, slope
from edgeval.measures.powerlaw import FEWEST
from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import Doubling
from edgeval.records.regressors import Regressors

Seeds = tuple[int, ...]  # the positions of one size's models
REACH = 4.0  # sizes within this factor of the last one count


def doublings(found: Regressors, series: Sequence[Series]) -> list[Doubling]:
    """For each network as trained whose two laws meet at a size that is among the last of both, each output.

    Laws that meet elsewhere tell nothing here: their last sizes are those of other networks.
    """
    mine = [one for one in series if one.format == TORCH]
    images = [one for one in mine if one.along == "images"]
    params = [one for one in mine if one.along == "parameters"]
    return [
        told
        for one, other in product(images, params)
        if one.net == other.net and (shared := set(_last(one)) & set(_last(other)))
        for k in range(len(found.output_names))
        if (told := _doubling(found, (one, other), k, min(shared))) is not None
    ]


def _doubling(found: Regressors, both: tuple[Series, Series], k: int, shared: Seeds) -> Doubling | None:
    one, other = (_slope(found, series, k) for series in both)
    if one is None or other is None:
        return None
    sizes = [_last(series) for series in both]
    logs = dict(zip((*sizes[0], *sizes[1]), (*one.logs, *other.logs), strict=True))
    if (pooled := pooled_variance(list(logs.values()))) is None:
        return None
    from scipy.stats import t

    variance, freedom = pooled
    reach = float(t.ppf(0.975, freedom)) * variance**0.5
    parts = [float(slope.variances.sum()) for slope in (one, other)]
    # the networks of the shared size stand in both laws: what their seeds do to one exponent they do to the other
    common = float(one.weights[sizes[0].index(shared)] * other.weights[sizes[1].index(shared)]) / len(shared)
    lead, wide = one.value - other.value, reach * max(0.0, sum(parts) - 2 * common) ** 0.5
    model = found.models[shared[0]]
    return Doubling(
        net=model.net,
        output=found.output_names[k],
        images=model.images,
        params=model.params,
        by_images=2**-one.value,
        by_images_ci95=_interval(one.value, reach * parts[0] ** 0.5),
        by_params=2**-other.value,
        by_params_ci95=_interval(other.value, reach * parts[1] ** 0.5),
        better="cannot be told" if abs(lead) <= wide else "images" if lead > 0 else "parameters",
    )


def _interval(exponent: float, half: float) -> tuple[float, float]:
    return float(2 ** -(exponent + half)), float(2 ** -(exponent - half))


def _last(series: Series) -> tuple[Seeds, ...]:
    """The models of the sizes within REACH of the last one, and of three at least."""
    near = sum(size * REACH >= series.sizes[-1] for size in series.sizes)
    return series.models[-max(near, FEWEST) :]


def _slope(found: Regressors, series: Series, k: int) -> Slope | None:
    """The exponent over the last sizes, None with an error of 0."""
    count = len(_last(series))
    errors = errors_of(found, series, k)[-count:]
    if any((seeds <= 0).any() for seeds in errors):
        return None
    return slope(np.array(series.sizes[-count:], float), errors)

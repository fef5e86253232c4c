"""More images or a larger net: what twice of either would do to the error, by the last sizes of both laws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from edgeval.compare.deep.laws import Series
from edgeval.compare.deep.sizes import log_mse
from edgeval.measures.logmse import Estimate, estimate, pooled_variance
from edgeval.measures.mselaw import slope
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
    one, other = (_weights(series) for series in both)
    logs = {at: log_mse(found, at, k, "mse") for at in {**one, **other}}
    known = [log for log in logs.values() if log is not None]
    if len(known) < len(logs) or (common := pooled_variance(known)) is None:
        return None
    # narrow nets vary far more over seeds than wide ones: pooled only for want of a variance of each size's own
    pooled = common if any(len(log.seeds) < 2 for log in known) else None

    def falls(weights: Mapping[Seeds, float]) -> Estimate:
        """How steeply the error falls, by these weights of the sizes."""
        found = estimate([weights.get(at, 0.0) for at in logs], known, pooled)
        assert found is not None
        return found

    # the networks of the shared size stand in both laws: what their seeds do to one exponent they do to the other
    lead = falls({at: one.get(at, 0.0) - other.get(at, 0.0) for at in logs})
    images, params, model = falls(one), falls(other), found.models[shared[0]]
    return Doubling(
        net=model.net,
        output=found.output_names[k],
        images=model.images,
        params=model.params,
        by_images=2**-images.value,
        by_images_ci95=_factor(images),
        by_params=2**-params.value,
        by_params_ci95=_factor(params),
        better="cannot be told" if abs(lead.value) <= lead.half else "images" if lead.value > 0 else "parameters",
    )


def _factor(found: Estimate) -> tuple[float, float]:
    """What twice the size multiplies the error by, at 95%."""
    low, high = found.ci95
    return 2**-high, 2**-low


def _last(series: Series) -> tuple[Seeds, ...]:
    """The models of the sizes within REACH of the last one, and of three at least."""
    near = sum(size * REACH >= series.sizes[-1] for size in series.sizes)
    return series.models[-max(near, FEWEST) :]


def _weights(series: Series) -> dict[Seeds, float]:
    """The weight of each of the last sizes in the slope of ln MSE."""
    last = _last(series)
    return dict(zip(last, slope(np.array(series.sizes[-len(last) :], float)), strict=True))

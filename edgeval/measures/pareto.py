"""The Pareto front: which of several candidates no other one beats at everything that counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def known(values: Floats) -> Bools:
    """(K,) objectives that every one of (N, K) candidates has: one that is missing (NaN) somewhere compares nobody."""
    return np.asarray(~np.isnan(values).any(axis=0))


def front(values: Floats, maximise: Bools) -> Bools:
    """(N,) candidates that no other one dominates over the known objectives.

    values: (N, K), NaN where missing; maximise: (K,), the rest is minimised. a dominates b where it is at least as good
    in every objective and better in one; equals do not dominate each other, so ties stay on the front together. Without
    a known objective nobody is dominated.
    """
    cost = np.where(maximise, -values, values)[:, known(values)]
    no_worse = (cost[:, None, :] <= cost[None, :, :]).all(axis=2)
    better = (cost[:, None, :] < cost[None, :, :]).any(axis=2)
    return np.asarray(~(no_worse & better).any(axis=0))

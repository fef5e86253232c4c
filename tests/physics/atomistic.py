"""Every chromium atom by itself: two honeycomb layers with nearest-neighbour exchange, coupled site by site.

E = -J sum S.S - D sum Sz^2 - sum J_perp S1.S2, counted from the uniform state's exchange; N0 x N0 cells, periodic.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from edgeval.physics.coupling import AA, interlayer
from edgeval.physics.magnet import CELL, SPIN

Angles = NDArray[np.float64]  # (2 layers, 2 sublattices, N0, N0)


def twist(cells: int) -> float:
    """The angle in degrees whose moire cell has so many cells a side."""
    return math.degrees(2 * math.asin(1 / (2 * cells)))


def coupling(cells: int) -> NDArray[np.float64]:
    """(2, N0, N0) J_perp of the sites of both sublattices."""
    at = np.arange(cells) / cells - AA
    places = [at, at + 1 / (3 * cells)]
    return np.stack([interlayer(p[:, None], p[None, :]) for p in places])


def energy(angles: Angles, j: float, d: float, j_perp: NDArray[np.float64]) -> tuple[float, Angles]:
    """Energy of the whole cell in meV, and its derivative."""
    a, b = angles[:, 0], angles[:, 1]
    slope = np.empty_like(angles)
    slope[:, 0], slope[:, 1], total = 0, 0, 0.0
    for axis in (None, 1, 2):  # an A atom's neighbours: B of its own cell and of the cells one back on each axis
        turn = a - (b if axis is None else np.roll(b, 1, axis=axis))
        total += j * float((1 - np.cos(turn)).sum())
        slope[:, 0] += j * np.sin(turn)
        slope[:, 1] -= j * (np.sin(turn) if axis is None else np.roll(np.sin(turn), -1, axis=axis))
    apart = angles[0] - angles[1]
    total -= d * float((np.cos(angles) ** 2).sum()) + float((j_perp * np.cos(apart)).sum())
    slope += d * np.sin(2 * angles)
    slope[0] += j_perp * np.sin(apart)
    slope[1] -= j_perp * np.sin(apart)
    return SPIN**2 * total, SPIN**2 * slope


def energy_per_area(cells: int, j: float, d: float) -> float:
    """The lower of a canted and a domain state, meV/A^2."""
    j_perp = coupling(cells)
    negative = j_perp < 0
    lean = np.where(negative, 1.2, 0.1)
    flipped = np.stack([np.where(negative, -0.10, -0.02), np.where(negative, np.pi - 0.3, 0.3)])

    def function(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slope = energy(flat.reshape(flipped.shape), j, d, j_perp)
        return value, slope.ravel()

    options = {"maxiter": 20_000, "maxfun": 20_000, "gtol": 1e-5, "ftol": 1e-13}
    found = [
        minimize(function, start.ravel(), jac=True, method="L-BFGS-B", options=options)
        for start in (np.stack([-lean, lean]), flipped)
    ]
    assert all(result.success for result in found)
    return min(float(result.fun) for result in found) / (cells**2 * CELL)

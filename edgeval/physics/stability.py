"""The critical angle: where the uniform ferromagnetic state stops being stable against the moire field."""

from __future__ import annotations

import math

import numpy as np

from edgeval.physics.coupling import interlayer
from edgeval.physics.harmonics import harmonics
from edgeval.physics.magnet import LARGEST_THETA, LAYERS, Magnet

GRID = 48
FROM = 0.02  # degrees


def softest(magnet: Magnet, size: int = GRID) -> float:
    """Lowest eigenvalue of -A lap + K + j(r) in meV/A^2: below 0 the uniform state gives way.

    The lowest eigenfunction has no node and hence the coupling's symmetry, so symmetric waves hold it.
    """
    from scipy.linalg import eigh

    found = harmonics(size)
    j = LAYERS * interlayer(found.p, found.q, magnet.coupling)
    matrix = (found.waves * (found.weights * j)) @ found.waves.T
    matrix[np.diag_indices_from(matrix)] += magnet.stiffness * (2 * math.pi / magnet.period) ** 2 * found.k2
    lowest = eigh(matrix, eigvals_only=True, subset_by_index=(0, 0), check_finite=False)
    return float(lowest[0]) + magnet.anisotropy


def critical_angle(j: float, d: float, coupling: str = "relaxed") -> float | None:
    """theta_c in degrees; None where no angle has a texture, or where textures stay up to the largest angle."""
    from scipy.optimize import brentq

    def value(log_theta: float) -> float:
        return softest(Magnet(math.exp(log_theta), j, d, coupling))

    low, high = math.log(FROM), math.log(LARGEST_THETA) - 1e-9
    if value(low) >= 0 or value(high) <= 0:
        return None
    return math.exp(brentq(value, low, high, xtol=1e-5))

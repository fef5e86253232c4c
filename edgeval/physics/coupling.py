"""How strongly the two layers couple, by the local stacking: a closed form for J_perp with the crystal's symmetry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Coupling = Literal["relaxed", "rigid"]
FIRST = ((1, 0), (0, 1), (-1, -1))
SECOND = ((1, -1), (-2, -1), (1, 2))
THIRD = ((2, 0), (0, 2), (-2, -2))
# c0, c1, c2, s2, c3 in meV: least squares on Sivadas et al., Nano Lett. 18, 7658 (2018), Figs 2 (rigid), 3 (relaxed).
CONSTANTS: dict[str, tuple[float, ...]] = {
    "relaxed": (0.14654, -0.07153, 0.21725, 0.01318, -0.13858),
    "rigid": (0.00360, 0.07849, 0.34366, 0.18424, -0.28569),
}
AA = 2 / 3  # both fractional coordinates of AA stacking; AB is at (0, 0), BA at (1/3, 1/3)


def interlayer(p: NDArray[np.float64], q: NDArray[np.float64], coupling: str = "relaxed") -> NDArray[np.float64]:
    """J_perp in meV at fractional stacking coordinates (p, q) counted from AA. Above 0 the layers align."""
    c0, c1, c2, s2, c3 = CONSTANTS[coupling]
    return np.asarray(
        c0
        + c1 * _star(np.cos, FIRST, p, q)
        + c2 * _star(np.cos, SECOND, p, q)
        + s2 * _star(np.sin, SECOND, p, q)
        + c3 * _star(np.cos, THIRD, p, q)
    )


def _star(wave: Callable[[Any], Any], star: tuple[tuple[int, int], ...], p: Any, q: Any) -> Any:
    """The sum of a wave over the wave vectors of one star."""
    return sum(wave(2 * np.pi * (h * p + k * q)) for h, k in star)

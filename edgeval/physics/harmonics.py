"""Functions on the moire cell that share the coupling's symmetry, C3v about AA: their points, waves and wave numbers.

The coupling and the three starts have this symmetry, the energy's gradient keeps it, and states that have it are
stationary among all states. A sixth of the points then stands for the cell, and a dense matrix
for the Fourier transform.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Harmonics:
    """N x N grid points (i / N, j / N) from AA, in M classes of equal value.

    orbit: (N, N) class of each point; weights: (M,) share of the cell; p, q: (M,) coordinates of one point a class;
    waves: (M, M) symmetric waves at these points, orthonormal in the mean over the cell; k2: (M,) their k^2 in units of
    (2 pi / L)^2.
    """

    size: int
    orbit: Ints
    weights: Floats
    p: Floats
    q: Floats
    waves: Floats
    k2: Floats


@lru_cache(maxsize=8)
def harmonics(size: int) -> Harmonics:
    """The symmetric functions of an N x N grid."""
    i, j = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    first = np.min([(a % size) * size + b % size for a, b in point_images(i, j)], axis=0)
    points, orbit, counts = np.unique(first, return_inverse=True, return_counts=True)
    pairs = [(s * a, s * b) for s in (1, -1) for a, b in wave_images(i, j)]  # cosine and sine take k and -k together
    vectors = np.unique(np.min([(a % size) * size + b % size for a, b in pairs], axis=0))
    waves, norms = _waves(vectors, points, counts, size)
    kept = norms > 1e-9
    k2 = np.tile(wave_number(vectors // size, vectors % size, size), 2)[kept]
    return Harmonics(
        size,
        orbit.reshape(size, size),
        counts / size**2,
        points // size / size,
        points % size / size,
        waves[kept] / np.sqrt(norms[kept])[:, None],
        k2,
    )


def _waves(vectors: Ints, points: Ints, counts: Ints, size: int) -> tuple[Floats, Floats]:
    """Cosines, then sines, each summed over a vector's images; and their mean squares over the cell."""
    turn = 2 * np.pi * np.arange(size) / size
    parts = []
    for table in (np.cos(turn), np.sin(turn)):
        total = np.zeros((len(vectors), len(points)))
        for h, k in wave_images(vectors // size, vectors % size):
            total += table[(np.outer(h, points // size) + np.outer(k, points % size)) % size]
        parts.append(total)
    waves = np.concatenate(parts)
    return waves, (waves**2 * counts).sum(axis=1) / size**2


def point_images(p: Any, q: Any) -> list[tuple[Any, Any]]:
    """A point's six images: turned by 120 degrees about AA, and mirrored so that AB and BA change places."""
    found = []
    for _ in range(3):
        found += [(p, q), (-q, -p)]
        p, q = -p - q, p
    return found


def wave_images(h: Any, k: Any) -> list[tuple[Any, Any]]:
    """The same six operations on a wave vector."""
    found = []
    for _ in range(3):
        found += [(h, k), (-k, -h)]
        h, k = k - h, -h
    return found


def wave_number(h: Any, k: Any, size: int) -> Floats:
    """k^2 / (2 pi / L)^2 = 4/3 (h^2 - h k + k^2), smallest among the vectors that the grid cannot tell apart."""
    shifts = [(h + a * size, k + b * size) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    return np.asarray(np.min([a * a - a * b + b * b for a, b in shifts], axis=0) * (4 / 3))

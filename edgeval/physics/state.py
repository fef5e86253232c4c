"""What a relaxed magnet is: its phase, its magnetisation, its antiferromagnetic patches; whether a grid pinned it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Phase = Literal["fm", "canted", "domains"]
UNIFORM = 0.02  # rad: layers that differ by less everywhere are ferromagnetic
ALIKE = 0.01  # of the mean n_z: layers that differ by less lean symmetrically
PINNED = 0.999
NEIGHBOURS = np.array([[0, 1, 1], [1, 1, 1], [1, 1, 0]])  # of a point on a grid with axes 60 degrees apart


@dataclass(frozen=True)
class State:
    """One relaxed magnet: energy in meV/A^2; magnetisation, the mean n_z of both layers; the start that led here."""

    energy: float
    converged: bool
    iterations: int
    grid: int
    phase: Phase
    afm_patches: int
    magnetisation: tuple[float, float]
    pinned: bool
    start: str


def describe(
    *, energy: float, converged: bool, iterations: int, start: str, difference: NDArray[Any], n_z: NDArray[Any]
) -> State:
    """A state from the layers' difference in angle (N, N) and n_z (2, N, N)."""
    kind = phase(difference, n_z)
    one, two = n_z.mean(axis=(1, 2), dtype=np.float64).tolist()
    count = patches(np.cos(difference))
    return State(energy, converged, iterations, len(difference), kind, count, (one, two), pinned(kind, n_z), start)


def settle(n_z: NDArray[Any]) -> NDArray[Any]:
    """Layers (B, 2, N, N) in one order and one direction: layer 1 has the larger mean, and that points up."""
    means = n_z.mean(axis=(2, 3))
    swapped = np.abs(means[:, 1]) > np.abs(means[:, 0])
    ordered = np.where(swapped[:, None, None, None], n_z[:, ::-1], n_z)
    down = np.where(swapped, means[:, 1], means[:, 0]) < 0
    return np.asarray(np.where(down[:, None, None, None], -ordered, ordered))


def phase(difference: NDArray[Any], n_z: NDArray[Any]) -> Phase:
    """Phase from the layers' difference in angle (N, N) and n_z (2, N, N)."""
    if np.abs(difference).max() < UNIFORM:
        return "fm"
    means = n_z.mean(axis=(1, 2))
    return "canted" if abs(means[0] - means[1]) < ALIKE else "domains"


def patches(aligned: NDArray[Any]) -> int:
    """Connected regions of the cell, periodic on all sides, where n1.n2 (N, N) is below 0."""
    from scipy import ndimage

    labels, count = ndimage.label(aligned < 0, structure=NEIGHBOURS)
    group = list(range(count + 1))

    def root(name: int) -> int:
        while group[name] != name:
            name = group[name]
        return name

    for one, other in _across(labels):
        group[root(one)] = root(other)
    return len({root(name) for name in range(1, count + 1)})


def _across(labels: NDArray[Any]) -> set[tuple[int, int]]:
    """Labels that touch over the cell's edges."""
    found: set[tuple[int, int]] = set()
    for axis, shift in ((0, 0), (0, 1), (1, 0), (1, 1)):  # the first row is the last row's neighbour, also aslant
        first, last = np.take(labels, 0, axis), np.take(labels, -1, axis)
        found |= {(int(a), int(b)) for a, b in zip(first, np.roll(last, -shift), strict=True) if a and b}
    return found


def pinned(phase: Phase, n_z: NDArray[Any]) -> bool:
    """Whether walls have shrunk into single pixels: no spin leans any more (mean |n_z| close to 1)."""
    return phase == "domains" and float(np.abs(n_z).mean()) > PINNED

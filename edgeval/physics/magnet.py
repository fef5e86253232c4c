"""One twisted bilayer: what is chosen (theta, J, D), what follows for the continuum model, and its grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgeval.errors import InputError
from edgeval.physics.coupling import CONSTANTS

LATTICE = 6.83  # A, in-plane lattice constant of CrI3
SPIN = 1.5
CELL = math.sqrt(3) / 2 * LATTICE**2  # A^2, two Cr atoms a layer
LAYERS = 2 * SPIN**2 / CELL  # J_perp in meV to j in meV/A^2
GRIDS = (32, 48, 64, 96, 128)
COARSEST = 1.2  # pixels may be so many wall lengths wide: coarser grids pin the walls
LARGEST_GRID = 512
SMALLEST_THETA, LARGEST_THETA = 0.001, 30.0
ENERGIES = (1e-6, 1e6)  # meV, between which J and D make sense to floating point


@dataclass(frozen=True)
class Magnet:
    """Twist angle in degrees, exchange J and single-ion anisotropy D in meV, kind of interlayer coupling.

    Raises InputError unless all three are finite and above 0.
    """

    theta: float
    j: float
    d: float
    coupling: str = "relaxed"

    def __post_init__(self) -> None:
        for name, value in (("theta", self.theta), ("J", self.j), ("D", self.d)):
            if not (math.isfinite(value) and value > 0):
                hint = "J > 0 is ferromagnetic, D > 0 an easy axis" if name != "theta" else "for example 1.2 degrees"
                raise InputError(f"{name} must be a finite number above 0", seen=value, hint=hint)
        if not SMALLEST_THETA <= self.theta <= LARGEST_THETA:
            hint = "at larger angles the moire cell holds too few atoms for a continuum"
            hint = hint if self.theta > LARGEST_THETA else "for example 1.2 degrees"
            what = f"theta must lie between {SMALLEST_THETA:g} and {LARGEST_THETA:g} degrees"
            raise InputError(what, seen=self.theta, hint=hint)
        if not all(ENERGIES[0] <= value <= ENERGIES[1] for value in (self.j, self.d)):
            seen = f"J {self.j:g}, D {self.d:g}"
            raise InputError("J and D must lie between 1e-6 and 1e6 meV", seen=seen, hint="CrI3 has about 2 and 0.1")
        if self.coupling not in CONSTANTS:
            raise InputError("this coupling is not known", seen=self.coupling, hint=f"one of {', '.join(CONSTANTS)}")

    def __str__(self) -> str:
        return f"theta {self.theta:g}, J {self.j:g}, D {self.d:g}"

    @property
    def period(self) -> float:
        """L = a / (2 sin(theta / 2)), the moire period in A."""
        return LATTICE / (2 * math.sin(math.radians(self.theta) / 2))

    @property
    def stiffness(self) -> float:
        """A = J S^2 / (2 sqrt 3) in meV, of nearest neighbours on a honeycomb."""
        return self.j * SPIN**2 / (2 * math.sqrt(3))

    @property
    def anisotropy(self) -> float:
        """K = 2 D S^2 / cell in meV/A^2."""
        return LAYERS * self.d

    @property
    def wall(self) -> float:
        """Wall length sqrt(A / K) in A."""
        return math.sqrt(self.stiffness / self.anisotropy)

    @property
    def needed(self) -> int:
        """Grid points along the cell that just resolve a wall."""
        return max(1, math.ceil(self.period / (COARSEST * self.wall)))


def grid_for(magnet: Magnet, forced: int | None = None) -> int:
    """The smallest usual grid that resolves the walls, or `forced` if it does. Raises InputError."""
    need = magnet.needed
    if forced is not None:
        if not GRIDS[0] // 4 <= forced <= LARGEST_GRID:
            hint = f"from {GRIDS[0] // 4} to {LARGEST_GRID}"
            raise InputError("this grid cannot be used", seen=f"--grid {forced}", hint=hint)
        if forced < need:
            what = f"a grid of {forced} is too coarse: walls of {magnet.wall:.1f} A would be pinned to it"
            raise InputError(what, seen=f"{magnet.period / forced:.1f} A a pixel", hint=f"use --grid {need} or more")
        return forced
    for size in GRIDS:
        if size >= need:
            return size
    hint = "a larger theta or J or a smaller D needs less"
    if need <= LARGEST_GRID:
        hint = f"take --grid {need} for this one, which is slow; {hint}"
    raise InputError(f"this magnet needs a grid of {need}, beyond the usual {GRIDS[-1]}", seen=magnet, hint=hint)

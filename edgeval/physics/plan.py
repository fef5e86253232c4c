"""A data set of magnets as it is planned: sample i depends on the seed and i alone, so subsets are nested."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgeval.errors import InputError
from edgeval.physics import VERSION
from edgeval.physics.magnet import GRIDS, Magnet
from edgeval.physics.picture import USUAL, Window
from edgeval.physics.stability import critical_angle, softest

SCHEMA = "edgeval/cri3/1"
PARAMETERS = ("theta", "j", "d")
RANGES = ((0.8, 2.0), (1.0, 3.0), (0.02, 0.20))  # degrees, meV, meV: textured everywhere


@dataclass(frozen=True)
class Plan:
    """All that decides a data set's numbers. Raises InputError where it cannot be computed.

    ranges: of theta, J and D, uniform; shard_size: samples a file, which are computed together.
    """

    seed: int = 0
    ranges: tuple[tuple[float, float], ...] = RANGES
    window: Window = USUAL
    shard_size: int = 500
    coupling: str = "relaxed"
    precision: str = "float64"
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, (low, high) in zip(PARAMETERS, self.ranges, strict=True):
            if not (math.isfinite(low) and math.isfinite(high) and 0 < low <= high):
                usual = RANGES[PARAMETERS.index(name)]
                hint = f"for example --{name}-range {usual[0]} {usual[1]}"
                raise InputError(f"the range of {name} must be two numbers above 0", seen=f"{low} {high}", hint=hint)
        worst = self._corner(0, 0, 1)
        if worst.needed > GRIDS[-1]:  # a data set picks its grids itself, so `grid_for`'s hint would not help
            hint = "raise the low end of --theta-range or --j-range, or lower the high end of --d-range"
            what = f"a corner of the ranges needs a grid of {worst.needed}, beyond the usual {GRIDS[-1]}"
            raise InputError(what, seen=worst, hint=hint)
        self.window.check(self._corner(1, 0, 0).period)

    def _corner(self, theta: int, j: int, d: int) -> Magnet:
        """The magnet at one end of each range."""
        angles, exchanges, anisotropies = self.ranges
        return Magnet(angles[theta], exchanges[j], anisotropies[d], self.coupling)

    def magnet(self, index: int) -> Magnet:
        """Sample `index`."""
        numbers = np.random.default_rng([self.seed, index]).random(3)
        theta, j, d = (low + (high - low) * float(u) for (low, high), u in zip(self.ranges, numbers, strict=True))
        return Magnet(theta, j, d, self.coupling)

    def uninformative(self) -> str:
        """What to say of a part of the ranges in which pictures are uniform; empty where there is none."""
        return textureless(self._corner(1, 1, 1))

    def header(self) -> dict[str, Any]:
        """The plan in plain words, as it stands in every file."""
        rest = {"seed": self.seed, "shard_size": self.shard_size, "coupling": self.coupling}
        more = {"precision": self.precision, "device": self.device, "simulator": VERSION}
        ranges = dict(zip(PARAMETERS, map(list, self.ranges), strict=True))
        return {"schema": SCHEMA, **rest, "ranges": ranges, "window": asdict(self.window), **more}


def textureless(magnet: Magnet) -> str:
    """A warning for a magnet outside the textured phase; empty inside."""
    if softest(magnet) < 0:
        return ""
    limit = critical_angle(magnet.j, magnet.d, magnet.coupling)
    known = "no angle has a texture there" if limit is None else f"textures end at {limit:.2f} degrees there"
    return f"{magnet} is uniform ({known}): pictures carry no information about the parameters"


def difference(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """The first entry in which two headers differ, in words; empty where they agree."""
    for key in ours:
        if theirs.get(key) != ours[key]:
            return f"{key} {theirs.get(key)!r} there, {ours[key]!r} asked"
    return ""

"""The three deterministic states from which every magnet is relaxed; the lowest result counts.

fmt: both layers almost up; cant: the layers lean apart where they couple antiferromagnetically; domx: layer 1 up,
layer 2 flipped there. Layer 1 stays up, so no two samples differ by a symmetry alone.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

NAMES = ("fmt", "cant", "domx")
LEAN = {"fmt": (0.25, 0.05), "cant": (1.2, 0.1)}  # rad from z, where j < 0 and elsewhere


def starts(coupling: Tensor) -> Tensor:
    """(B, 3, 2, M) fields s and t for the coupling j (B, M)."""
    negative = coupling < 0

    def choose(where: float, elsewhere: float) -> Tensor:
        return torch.where(negative, where, elsewhere).to(coupling.dtype)

    layers = [(choose(-near, -far), choose(near, far)) for near, far in LEAN.values()]
    layers.append((choose(-0.10, -0.02), choose(math.pi - 0.3, 0.3)))
    return torch.stack([torch.stack([one + two, one - two], dim=1) for one, two in layers], dim=1)

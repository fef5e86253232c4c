"""Two ways from fields to modes and back, in torch: symmetric waves for the magnets, Fourier waves for any field."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from edgeval.physics.harmonics import harmonics, wave_number

MOST_SYMMETRIC = 128  # beyond that the dense matrices of symmetric waves outgrow their use


class Basis(Protocol):
    """Fields (..., M) and their modes (..., M), orthonormal: the mean of a squared field is the sum of squared modes.

    weights: (M,) share of the cell behind each value; k2: (M,) in units of (2 pi / L)^2; p, q: (M,) places from AA.
    """

    @property
    def size(self) -> int:
        """N of the N x N grid."""

    @property
    def weights(self) -> Tensor:
        """Shares of the cell."""

    @property
    def k2(self) -> Tensor:
        """Wave numbers."""

    @property
    def p(self) -> Tensor:
        """First coordinate."""

    @property
    def q(self) -> Tensor:
        """Second coordinate."""

    def to_modes(self, fields: Tensor) -> Tensor:
        """Modes of fields."""

    def from_modes(self, modes: Tensor) -> Tensor:
        """Fields of modes."""

    def expand(self, fields: Tensor) -> Tensor:
        """Fields on the whole grid, (..., N, N)."""


@dataclass(frozen=True)
class Symmetric:
    """Waves with the symmetry of the coupling; two dense matrices, which batches share."""

    size: int
    weights: Tensor
    k2: Tensor
    p: Tensor
    q: Tensor
    orbit: Tensor
    forward: Tensor
    backward: Tensor

    def to_modes(self, fields: Tensor) -> Tensor:
        """Modes of fields."""
        return fields @ self.forward

    def from_modes(self, modes: Tensor) -> Tensor:
        """Fields of modes."""
        return modes @ self.backward

    def expand(self, fields: Tensor) -> Tensor:
        """Fields on the whole grid."""
        return fields[..., self.orbit]


@dataclass(frozen=True)
class Fourier:
    """All waves of the grid, by the fast Hartley transform: real, and its own inverse."""

    size: int
    weights: Tensor
    k2: Tensor
    p: Tensor
    q: Tensor

    def to_modes(self, fields: Tensor) -> Tensor:
        """Modes of fields."""
        return self.from_modes(fields) / self.size**2

    def from_modes(self, modes: Tensor) -> Tensor:
        """Fields of modes."""
        found: Tensor = torch.fft.fft2(self.expand(modes))
        return (found.real - found.imag).flatten(-2)

    def expand(self, fields: Tensor) -> Tensor:
        """Fields on the whole grid."""
        return fields.reshape(*fields.shape[:-1], self.size, self.size)


@lru_cache(maxsize=16)
def symmetric(size: int, dtype: torch.dtype = torch.float64, device: str = "cpu") -> Symmetric:
    """The symmetric waves of an N x N grid."""
    found = harmonics(size)

    def tensor(array: np.typing.NDArray[np.float64]) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=dtype, device=device)

    weights, k2, p, q = (tensor(each) for each in (found.weights, found.k2, found.p, found.q))
    orbit = torch.as_tensor(found.orbit, device=device)
    return Symmetric(size, weights, k2, p, q, orbit, tensor((found.waves * found.weights).T), tensor(found.waves))


@lru_cache(maxsize=16)
def fourier(size: int, dtype: torch.dtype = torch.float64, device: str = "cpu") -> Fourier:
    """All waves of an N x N grid."""
    i, j = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    columns = (np.full(size**2, size**-2.0), wave_number(i, j, size).ravel(), i.ravel() / size, j.ravel() / size)
    weights, k2, p, q = (torch.as_tensor(each, dtype=dtype, device=device) for each in columns)
    return Fourier(size, weights, k2, p, q)


def basis_for(size: int, dtype: torch.dtype = torch.float64, device: str = "cpu") -> Basis:
    """What serves magnets on this grid best."""
    return (symmetric if size <= MOST_SYMMETRIC else fourier)(size, dtype, device)

"""The same magnets in the plain way: unit vectors on spheres, FFTs, numpy, one image at a time.

An independent reference: all three components, no symmetry used, preconditioned nonlinear conjugate gradients with
renormalisation as retraction and Armijo's rule.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeval.physics.coupling import interlayer
from edgeval.physics.harmonics import wave_number
from edgeval.physics.magnet import LAYERS, Magnet

Vectors = NDArray[np.float64]  # (2 layers, 3 components, N, N)


def directions(angles: NDArray[np.float64]) -> Vectors:
    """Unit vectors (sin f, 0, cos f) of angles (2, N, N)."""
    return np.stack([np.sin(angles), 0 * angles, np.cos(angles)], axis=1)


def three_starts(magnet: Magnet, size: int) -> list[Vectors]:
    """fmt, cant and domx."""
    negative = couplings(magnet, size) < 0
    leans = [np.where(negative, a, b) for a, b in ((0.25, 0.05), (1.2, 0.1))]
    flipped = np.stack([np.where(negative, -0.10, -0.02), np.where(negative, np.pi - 0.3, 0.3)])
    return [directions(np.stack([-lean, lean])) for lean in leans] + [directions(flipped)]


def random_start(size: int, rng: np.random.Generator) -> Vectors:
    """Smooth unit vectors in all directions."""
    k = np.add.outer(np.fft.fftfreq(size, 1 / size) ** 2, np.arange(size // 2 + 1) ** 2)
    smooth = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(2, 3, size, size))) * np.exp(-k / 16), s=(size, size))
    return smooth / np.sqrt((smooth**2).sum(axis=1, keepdims=True))


def couplings(magnet: Magnet, size: int) -> NDArray[np.float64]:
    """j on a grid that begins at AA, meV/A^2."""
    at = np.arange(size) / size
    return LAYERS * interlayer(at[:, None], at[None, :], magnet.coupling)


class Spheres:
    """Energy and field of one magnet on an N x N grid; `coupling` (N, N) in meV/A^2 instead of the crystal's."""

    def __init__(self, magnet: Magnet, size: int, coupling: NDArray[np.float64] | None = None) -> None:
        self.size, self.easy = size, magnet.anisotropy
        self.coupling = couplings(magnet, size) if coupling is None else coupling
        h, k = np.meshgrid(np.fft.fftfreq(size, 1 / size), np.arange(size // 2 + 1), indexing="ij")
        self.stiff = 2 * magnet.stiffness * (2 * np.pi / magnet.period) ** 2 * wave_number(h, k, size)
        self.scale = 2 * self.easy + np.abs(self.coupling).max()

    def filtered(self, field: Vectors, by: NDArray[np.float64]) -> Vectors:
        return np.fft.irfft2(np.fft.rfft2(field) * by, s=(self.size, self.size))

    def evaluate(self, n: Vectors) -> tuple[float, Vectors]:
        """Energy a unit area, and the field 2 A lap n + 2 K n_z z + j n_other."""
        exchange = self.filtered(n, -self.stiff)
        local = -self.easy * (n[:, 2] ** 2).sum(axis=0) - self.coupling * (n[0] * n[1]).sum(axis=0)
        field = exchange + self.coupling * n[::-1]
        field[:, 2] += 2 * self.easy * n[:, 2]
        return float(np.mean(local - 0.5 * (n * exchange).sum(axis=(0, 1)))), field

    def relax(self, n: Vectors, tolerance: float = 1e-6, limit: int = 5000) -> tuple[Vectors, float, int]:
        """Vectors, energy and iterations when no torque exceeds tolerance (2 K + max |j|)."""
        smooth = 1 / (0.5 * self.scale + self.stiff)
        energy, field = self.evaluate(n)
        torque = tangent(field, n)
        ahead = tangent(self.filtered(torque, smooth), n)
        search, product, step = ahead, (torque * ahead).sum(), 4 / 1.5
        for count in range(1, limit + 1):
            if (torque * search).sum() <= 0:
                search = ahead
            step, before = min(1.5 * step, 4.0), torque
            n, energy, field, step = self._climb(n, energy, search, float((torque * search).sum()), step)
            torque = tangent(field, n)
            if np.sqrt((torque**2).sum(axis=1)).max() < tolerance * self.scale:
                return n, energy, count
            ahead = tangent(self.filtered(torque, smooth), n)
            now = (torque * ahead).sum()
            beta = max(0.0, (now - (tangent(before, n) * ahead).sum()) / product)
            search, product = ahead + beta * tangent(search, n), now
        raise AssertionError(f"not converged after {limit} iterations")

    def _climb(self, n: Vectors, energy: float, search: Vectors, slope: float, step: float) -> tuple:
        while True:
            trial = n + step * search
            trial /= np.sqrt((trial**2).sum(axis=1, keepdims=True))
            found, field = self.evaluate(trial)
            enough = energy - 1e-4 * step * slope / self.size**2 + 1e-14 * abs(energy)
            if found <= enough or step < 1e-9:
                return trial, found, field, step
            step *= 0.5


def tangent(field: Vectors, n: Vectors) -> Vectors:
    """The part of a field that turns the spins."""
    return field - (field * n).sum(axis=1, keepdims=True) * n


def ground_state(magnet: Magnet, size: int, tolerance: float = 1e-6) -> tuple[Vectors, float]:
    """The lowest of the three starts."""
    model = Spheres(magnet, size)
    found = [model.relax(start, tolerance)[:2] for start in three_starts(magnet, size)]
    return min(found, key=lambda each: each[1])

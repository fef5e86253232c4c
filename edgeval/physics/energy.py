"""Energy and force of a batch of bilayers, in the sum and the difference of the two layers' angles.

The states are coplanar: layer l points along (sin f_l, 0, cos f_l). With s = f1 + f2 and t = f1 - f2 the energy a unit
area is the mean of

    A/2 (|grad s|^2 + |grad t|^2) - K - (K cos s + j) cos t

which is A (|grad n1|^2 + |grad n2|^2) - K (n1z^2 + n2z^2) - j n1.n2 for such states.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from edgeval.physics.basis import Basis
from edgeval.physics.coupling import interlayer
from edgeval.physics.magnet import LAYERS, Magnet

Waves = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Problem:
    """B bilayers on one grid. stiff: (B, 1, M), A k^2 of each mode; easy: (B, 1), K; coupling: (B, M), j; meV/A^2."""

    basis: Basis
    stiff: Tensor
    easy: Tensor
    coupling: Tensor

    @property
    def scale(self) -> Tensor:
        """(B,) 2 K + max |j|: what forces are compared with."""
        return 2 * self.easy[:, 0] + self.coupling.abs().amax(dim=1)

    def take(self, which: Tensor) -> Problem:
        """The bilayers at these positions, or where a mask holds."""
        return Problem(self.basis, self.stiff[which], self.easy[which], self.coupling[which])

    def waves(self, fields: Tensor) -> Waves:
        """cos s, sin s, cos t, sin t of fields (B, 2, M)."""
        s, t = fields[:, 0], fields[:, 1]
        return s.cos(), s.sin(), t.cos(), t.sin()

    def energy(self, modes: Tensor, waves: Waves) -> Tensor:
        """(B,) energy a unit area."""
        cos_s, _, cos_t, _ = waves
        gradients = 0.5 * (self.stiff * modes * modes).sum(dim=(1, 2))
        return gradients - self.easy[:, 0] - ((self.easy * cos_s + self.coupling) * cos_t) @ self.basis.weights

    def gradient(self, modes: Tensor, waves: Waves) -> Tensor:
        """(B, 2, M) modes of the energy's derivative by s and t."""
        cos_s, sin_s, cos_t, sin_t = waves
        local = torch.stack([self.easy * sin_s * cos_t, (self.easy * cos_s + self.coupling) * sin_t], dim=1)
        return self.stiff * modes + self.basis.to_modes(local)

    def curvature(self, direction: Tensor, fields: Tensor, waves: Waves) -> Tensor:
        """(B,) second derivative of the energy along a direction, given in modes and as fields."""
        cos_s, sin_s, cos_t, sin_t = waves
        ds, dt = fields[:, 0], fields[:, 1]
        alike = self.easy * cos_s * cos_t
        local = alike * (ds * ds + dt * dt) + self.coupling * cos_t * dt * dt - 2 * self.easy * sin_s * sin_t * ds * dt
        return (self.stiff * direction * direction).sum(dim=(1, 2)) + local @ self.basis.weights

    def force(self, gradient: Tensor) -> Tensor:
        """(B,) largest torque on any spin of either layer, from the gradient's modes."""
        found = self.basis.from_modes(gradient)
        return torch.maximum((found[:, 0] + found[:, 1]).abs(), (found[:, 0] - found[:, 1]).abs()).amax(dim=1)


def problem(magnets: Sequence[Magnet], basis: Basis) -> Problem:
    """The bilayers of these magnets, which share one kind of coupling."""
    like = basis.weights
    kinds = {magnet.coupling for magnet in magnets}
    assert len(kinds) == 1, kinds
    j_perp = interlayer(basis.p.double().cpu().numpy(), basis.q.double().cpu().numpy(), kinds.pop())
    coupling = torch.as_tensor(LAYERS * j_perp, dtype=like.dtype, device=like.device)
    scales = [magnet.stiffness * (2 * math.pi / magnet.period) ** 2 for magnet in magnets]
    stiff = torch.tensor(scales, dtype=torch.float64).to(like)[:, None, None] * basis.k2
    easy = torch.tensor([[magnet.anisotropy] for magnet in magnets], dtype=torch.float64).to(like)
    return Problem(basis, stiff, easy, coupling.expand(len(magnets), -1))

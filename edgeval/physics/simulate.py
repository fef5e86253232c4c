"""From magnets to relaxed states and pictures, in batches of one grid each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgeval.physics.basis import Basis, basis_for
from edgeval.physics.energy import problem
from edgeval.physics.magnet import Magnet, grid_for
from edgeval.physics.picture import USUAL, Window, draw
from edgeval.physics.relax import Relaxed, relax
from edgeval.physics.starts import NAMES, starts
from edgeval.physics.state import State, describe, settle

NUMBERS = {"cpu": 2**19, "cuda": 2**25}  # of the fields of one batch: larger ones gain nothing more on a CPU


@dataclass(frozen=True)
class How:
    """Where and how exactly magnets are relaxed, and what is drawn; `grid` None is the smallest that serves."""

    window: Window = USUAL
    device: str = "cpu"
    precision: str = "float64"
    grid: int | None = None

    def basis(self, size: int) -> Basis:
        """The basis of this grid, on the device."""
        dtype = torch.float32 if self.precision == "float32" else torch.float64
        return basis_for(size, dtype, self.device)


@torch.no_grad()
def simulate(
    magnets: Sequence[Magnet], how: How, progress: Callable[[int, int], None] | None = None
) -> tuple[list[State], NDArray[np.float32]]:
    """The lowest of three relaxed states of each magnet, in their order, and pictures (B, size, size, 2), n_z.

    Raises InputError.
    """
    for magnet in magnets:
        how.window.check(magnet.period)
    pictures = np.empty((len(magnets), how.window.size, how.window.size, 2), dtype=np.float32)
    found: dict[int, State] = {}
    for grid, members in _batches(magnets, how):
        chosen = [magnets[k] for k in members]
        states, pictures[members] = _batch(chosen, grid, how)
        found |= zip(members, states, strict=True)
        if progress:
            progress(len(found), len(magnets))
    return [found[k] for k in range(len(magnets))], pictures


def _batches(magnets: Sequence[Magnet], how: How) -> Iterator[tuple[int, list[int]]]:
    """Grid and positions of magnets that are relaxed side by side."""
    grids = [grid_for(magnet, how.grid) for magnet in magnets]
    for grid, same in groupby(sorted(range(len(magnets)), key=lambda k: grids[k]), key=lambda k: grids[k]):
        members = list(same)
        most = max(1, NUMBERS[how.device] // (2 * len(NAMES) * len(how.basis(grid).weights)))
        yield from ((grid, members[begin : begin + most]) for begin in range(0, len(members), most))


def _batch(magnets: list[Magnet], grid: int, how: How) -> tuple[list[State], NDArray[np.float32]]:
    """Magnets on one grid."""
    basis = how.basis(grid)
    bilayers = problem(magnets, basis)
    thrice = torch.arange(len(magnets), device=how.device).repeat_interleave(len(NAMES))
    relaxed = relax(bilayers.take(thrice), starts(bilayers.coupling).flatten(0, 1))
    best, chosen = lowest(relaxed)
    s, t = basis.expand(relaxed.fields[chosen]).unbind(dim=1)
    n_z = settle(torch.stack([((s + t) / 2).cos(), ((s - t) / 2).cos()], dim=1).cpu().numpy())
    periods = torch.tensor([magnet.period for magnet in magnets], dtype=torch.float64, device=how.device)
    pictures = draw(torch.as_tensor(n_z, device=how.device), periods, how.window).clamp(-1, 1)
    return _states(relaxed, best, t.cpu().numpy(), n_z), pictures.permute(0, 2, 3, 1).float().cpu().numpy()


def lowest(relaxed: Relaxed) -> tuple[Tensor, Tensor]:
    """The start that led to the lowest energy, (B,), and its position among all 3 B."""
    best = relaxed.energy.view(-1, len(NAMES)).argmin(dim=1)
    return best, best + len(NAMES) * torch.arange(len(best), device=best.device)


def _states(relaxed: Relaxed, best: Tensor, angles: NDArray[np.floating], n_z: NDArray[np.floating]) -> list[State]:
    """What is said of each magnet. One start that did not converge might have led lower, so all three count."""
    every = [
        part.view(-1, len(NAMES)).cpu().numpy() for part in (relaxed.energy, relaxed.converged, relaxed.iterations)
    ]
    return [
        describe(
            energy=float(every[0][k, pick]),
            converged=bool(every[1][k].all()),
            iterations=int(every[2][k, pick]),
            start=NAMES[pick],
            difference=angles[k],
            n_z=n_z[k],
        )
        for k, pick in enumerate(best.tolist())
    ]

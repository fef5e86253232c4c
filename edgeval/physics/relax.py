"""Relaxation of a batch by preconditioned nonlinear conjugate gradients, each sample with its own steps.

Polak-Ribiere+ with the preconditioner 1 / (c + A k^2); the first trial step is Newton's along the direction, then
Armijo shortens it. A sample that has converged leaves the batch: what becomes of it depends on it alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from edgeval.physics.energy import Problem, Waves

MOST_ITERATIONS = 3000
PRECONDITION = 0.25  # c, in units of 2 K + max |j|
LONGEST = 1.0  # rad, the most that any s or t turns in one step
ARMIJO, SHORTER, TRIALS = 1e-4, 0.4, 20
ROUNDING = {torch.float32: 2e-6, torch.float64: 1e-14}  # of an energy, by which a step may seem to rise
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-6}  # largest force, in units of 2 K + max |j|


@dataclass(frozen=True)
class Relaxed:
    """fields: (B, 2, M) s and t; energy: (B,) float64, meV/A^2; iterations: (B,); converged: (B,)."""

    fields: Tensor
    energy: Tensor
    iterations: Tensor
    converged: Tensor


@dataclass
class Walk:
    """Samples on their way: first axis samples; fields, modes, gradient and direction are (B, 2, M)."""

    index: Tensor
    fields: Tensor
    modes: Tensor
    waves: Waves
    energy: Tensor
    gradient: Tensor
    direction: Tensor
    decrease: Tensor

    def take(self, which: Tensor) -> Walk:
        """Those samples where the mask holds."""
        cos_s, sin_s, cos_t, sin_t = (wave[which] for wave in self.waves)
        return Walk(
            self.index[which],
            self.fields[which],
            self.modes[which],
            (cos_s, sin_s, cos_t, sin_t),
            self.energy[which],
            self.gradient[which],
            self.direction[which],
            self.decrease[which],
        )


def relax(problem: Problem, starts: Tensor, *, tolerance: float | None = None, limit: int = MOST_ITERATIONS) -> Relaxed:
    """Relax fields (B, 2, M) until no force exceeds `tolerance` (2 K + max |j|), at most `limit` iterations."""
    tolerance = TOLERANCE[starts.dtype] if tolerance is None else tolerance
    whole, walk = problem, _begin(problem, starts)
    found = starts.clone()
    iterations = torch.zeros(len(starts), dtype=torch.int64, device=starts.device)
    converged = torch.zeros(len(starts), dtype=torch.bool, device=starts.device)
    for count in range(1, limit + 1):
        _step(problem, walk)
        done = _converged(problem, walk, tolerance)
        iterations[walk.index] = count
        if bool(done.any()):
            found[walk.index[done]] = walk.fields[done]
            converged[walk.index[done]] = True
            walk, problem = walk.take(~done), problem.take(~done)
            if not len(walk.index):
                break
    found[walk.index] = walk.fields
    return Relaxed(found, exact_energy(whole, found), iterations, converged)


def _begin(problem: Problem, starts: Tensor) -> Walk:
    """Energy, gradient and the first direction."""
    modes, waves = problem.basis.to_modes(starts), problem.waves(starts)
    gradient = problem.gradient(modes, waves)
    ahead = _precondition(problem, gradient)
    index = torch.arange(len(starts), device=starts.device)
    energy, decrease = problem.energy(modes, waves), _dot(gradient, ahead)
    return Walk(index, starts, modes, waves, energy, gradient, -ahead, decrease)


def _step(problem: Problem, walk: Walk) -> None:
    """One step along the direction, and the next direction."""
    before = walk.gradient
    slope = _dot(before, walk.direction)
    uphill = slope >= 0
    if bool(uphill.any()):
        steepest = -_precondition(problem, before)
        walk.direction = torch.where(uphill[:, None, None], steepest, walk.direction)
        slope = torch.where(uphill, -walk.decrease, slope)
    _search(problem, walk, slope)
    walk.gradient = problem.gradient(walk.modes, walk.waves)
    ahead = _precondition(problem, walk.gradient)
    decrease = _dot(walk.gradient, ahead)
    turn = ((decrease - _dot(before, ahead)) / walk.decrease.clamp(min=torch.finfo(decrease.dtype).tiny)).clamp(min=0)
    walk.direction = turn[:, None, None] * walk.direction - ahead
    walk.decrease = decrease


def _search(problem: Problem, walk: Walk, slope: Tensor) -> None:
    """Move each sample by Newton's step along its direction, shortened until its energy falls enough."""
    along = problem.basis.from_modes(walk.direction)
    curvature = problem.curvature(walk.direction, along, walk.waves)
    longest = LONGEST / along.abs().amax(dim=(1, 2)).clamp(min=torch.finfo(along.dtype).tiny)
    length = torch.where(curvature > 0, torch.minimum(-slope / curvature, longest), longest)
    slack = ROUNDING[along.dtype] * walk.energy.abs()
    trial = _trial(problem, walk, along, length)
    for _ in range(TRIALS):
        rises = trial[3] > walk.energy + ARMIJO * length * slope + slack
        if not bool(rises.any()):
            break
        length = torch.where(rises, SHORTER * length, length)
        trial = _trial(problem, walk, along, length)
    else:  # rounding hides what is left to gain: stay
        trial = _trial(problem, walk, along, torch.where(rises, 0 * length, length))
    walk.fields, walk.modes, walk.waves, walk.energy = trial


def _trial(problem: Problem, walk: Walk, along: Tensor, length: Tensor) -> tuple[Tensor, Tensor, Waves, Tensor]:
    """Fields, modes, waves and energy after a step of this length."""
    step = length[:, None, None]
    fields, modes = walk.fields + step * along, walk.modes + step * walk.direction
    waves = problem.waves(fields)
    return fields, modes, waves, problem.energy(modes, waves)


def _converged(problem: Problem, walk: Walk, tolerance: float) -> Tensor:
    """Where no force is left. The largest is looked at only where their root mean square allows it to be small."""
    limit = tolerance * problem.scale
    done = _dot(walk.gradient, walk.gradient).sqrt() < 0.5 * limit
    if bool(done.any()):
        done[done.clone()] = problem.force(walk.gradient[done]) < limit[done]
    return done


def _precondition(problem: Problem, gradient: Tensor) -> Tensor:
    """The gradient, smoothed where the exchange is stiff."""
    return gradient / (PRECONDITION * problem.scale[:, None, None] + problem.stiff)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """(B,) scalar products."""
    return (a * b).sum(dim=(1, 2))


def exact_energy(problem: Problem, found: Tensor) -> Tensor:
    """(B,) energies of fields, summed in float64."""
    modes = problem.basis.to_modes(found).double()
    cos_s, _, cos_t, _ = problem.waves(found.double())
    easy = problem.easy.double()
    gradients = 0.5 * (problem.stiff.double() * modes * modes).sum(dim=(1, 2))
    local = (easy * cos_s + problem.coupling.double()) * cos_t
    return gradients - easy[:, 0] - local @ problem.basis.weights.double()

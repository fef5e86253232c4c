"""Laws of a regressor's error: geometric means over seeds, MSE = a N^-beta, and c + a N^-beta where AICc prefers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.measures.powerlaw import FEWEST, RESAMPLES, Form, PowerLaw, Spread, fit_power, forms

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MseLaw:
    """The law of one output in its window of sizes (arXiv 2509.10000; PAPERS 2.2).

    means: geometric means over the seeds of each size; power: least squares of ln MSE on ln N, with R2 of that fit;
    spread: of beta when the seeds are drawn anew, None unless every size has two; forms: rivals, the best by AICc
    first; falls: whether the means fall at every step.
    """

    sizes: Floats
    means: Floats
    power: PowerLaw
    spread: Spread | None
    forms: tuple[Form, ...]
    falls: bool

    @property
    def floor(self) -> float | None:
        """c of MSE = c + a N^-beta where AICc prefers that to the plain law, else None."""
        known = {form.name: form for form in self.forms if form.aicc is not None}
        plain, other = known.get("power"), known.get("saturating")
        if plain is None or other is None or plain.aicc is None or other.aicc is None or other.aicc >= plain.aicc:
            return None
        return other.parameters["floor"]


def geometric_mean(values: Floats) -> float:
    """exp of the mean of ln; values positive."""
    return float(np.exp(np.log(values).mean()))


def mse_law(sizes: Floats, errors: Sequence[Floats], *, resamples: int = RESAMPLES, seed: int = 0) -> MseLaw:
    """The law over sizes (n,), rising; errors[i]: MSE of each seed of size i, positive. Raises ValueError."""
    if len(sizes) < FEWEST or len(sizes) != len(errors):
        raise ValueError(f"a law needs at least {FEWEST} sizes, each with its errors")
    if any(not len(found) or not (np.isfinite(found) & (found > 0)).all() for found in errors):
        raise ValueError("errors must be above 0")
    means = np.array([geometric_mean(found) for found in errors])
    spread = _over_seeds(sizes, errors, resamples, seed)
    falls = bool((np.diff(means) < 0).all())
    return MseLaw(sizes, means, fit_power(sizes, means), spread, tuple(forms(sizes, means)), falls)


def _over_seeds(sizes: Floats, errors: Sequence[Floats], resamples: int, seed: int) -> Spread | None:
    """beta over resamples of the seeds within each size."""
    if any(len(found) < 2 for found in errors):
        return None
    rng = np.random.default_rng(seed)
    logs = [np.log(found) for found in errors]
    drawn = np.stack([found[rng.integers(0, len(found), (resamples, len(found)))].mean(axis=1) for found in logs])
    x = np.log(sizes) - np.log(sizes).mean()
    betas = -(x @ drawn) / (x @ x)
    low, high = np.percentile(betas, [2.5, 97.5])
    return Spread(float(betas.std(ddof=1)), (float(low), float(high)), resamples)


def grid_noise(step: float) -> float:
    """The mean squared error that rounding to a grid of this step adds, step^2 / 12: no law goes below it."""
    return step**2 / 12

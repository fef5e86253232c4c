"""Laws of a regressor's error: geometric means over seeds, MSE = a N^-beta, and c + a N^-beta where AICc prefers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.measures.logmse import Estimate, LogMse, estimate
from edgeval.measures.powerlaw import FEWEST, Form, PowerLaw, fit_power, forms

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MseLaw:
    """The law of one output in its window of sizes (arXiv 2509.10000; PAPERS 2.2).

    means: geometric means over the seeds of each size; power: least squares of ln MSE on ln N, with R2 of that fit;
    spread: beta by what seeds and test images do to it, None unless every size has two seeds; forms: rivals, the best
    by AICc first; falls: whether the means fall at every step.
    """

    sizes: Floats
    means: Floats
    power: PowerLaw
    spread: Estimate | None
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


def mse_law(sizes: Floats, errors: Sequence[LogMse]) -> MseLaw:
    """The law over sizes (n,), rising, and the errors of each. Raises ValueError."""
    if len(sizes) < FEWEST or len(sizes) != len(errors):
        raise ValueError(f"a law needs at least {FEWEST} sizes, each with its errors")
    means = np.exp([log.mean for log in errors])
    spread = estimate(slope(sizes), errors)
    falls = bool((np.diff(means) < 0).all())
    return MseLaw(sizes, means, fit_power(sizes, means), spread, tuple(forms(sizes, means)), falls)


def slope(sizes: Floats) -> list[float]:
    """The weights of ln MSE of each size in the exponent, by least squares on ln N."""
    x = np.log(sizes) - np.log(sizes).mean()
    found: list[float] = (-x / (x @ x)).tolist()
    return found


def grid_noise(step: float) -> float:
    """The mean squared error that rounding to a grid of this step adds, step^2 / 12: no law goes below it."""
    return step**2 / 12

"""Laws of a regressor's error: geometric means over seeds, MSE = a N^-beta, and c + a N^-beta where AICc prefers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.measures.powerlaw import FEWEST, Form, PowerLaw, fit_power, forms

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Slope:
    """An exponent by least squares: a weight (n,) for the mean of ln MSE of each size, and ln MSE of its seeds."""

    weights: Floats
    logs: tuple[Floats, ...]

    @property
    def value(self) -> float:
        return float(-self.weights @ [log.mean() for log in self.logs])

    @property
    def variances(self) -> Floats:
        """(n,) what each size would add to the variance of the exponent, for seeds of variance 1."""
        return np.asarray(self.weights**2 / [len(log) for log in self.logs])


@dataclass(frozen=True)
class OverSeeds:
    """How an exponent varies with the seeds, on these test images: standard error, 95% interval, degrees of freedom."""

    se: float
    ci95: tuple[float, float]
    freedom: float


@dataclass(frozen=True)
class MseLaw:
    """The law of one output in its window of sizes (arXiv 2509.10000; PAPERS 2.2).

    means: geometric means over the seeds of each size; power: least squares of ln MSE on ln N, with R2 of that fit;
    spread: of beta over seeds, None unless every size has two; forms: rivals, the best by AICc first; falls: whether
    the means fall at every step.
    """

    sizes: Floats
    means: Floats
    power: PowerLaw
    spread: OverSeeds | None
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


def mse_law(sizes: Floats, errors: Sequence[Floats]) -> MseLaw:
    """The law over sizes (n,), rising; errors[i]: MSE of each seed of size i, positive. Raises ValueError."""
    if len(sizes) < FEWEST or len(sizes) != len(errors):
        raise ValueError(f"a law needs at least {FEWEST} sizes, each with its errors")
    if any(not len(found) or not (np.isfinite(found) & (found > 0)).all() for found in errors):
        raise ValueError("errors must be above 0")
    means = np.array([geometric_mean(found) for found in errors])
    spread = over_seeds(slope(sizes, errors))
    falls = bool((np.diff(means) < 0).all())
    return MseLaw(sizes, means, fit_power(sizes, means), spread, tuple(forms(sizes, means)), falls)


def slope(sizes: Floats, errors: Sequence[Floats]) -> Slope:
    """The exponent over sizes (n,); errors[i]: MSE of each seed of size i, positive."""
    x = np.log(sizes) - np.log(sizes).mean()
    return Slope(x / (x @ x), tuple(np.log(found) for found in errors))


def over_seeds(found: Slope) -> OverSeeds | None:
    """By t from each size's own variance (Welch and Satterthwaite): the smallest training sets vary by far the most.

    None unless every size has two seeds. Seeds drawn anew would give intervals that are far too narrow with three.
    """
    if any(len(log) < 2 for log in found.logs):
        return None
    from scipy.stats import t

    parts = found.variances * [log.var(ddof=1) for log in found.logs]
    variance, below = float(parts.sum()), float((parts**2 / [len(log) - 1 for log in found.logs]).sum())
    freedom = variance**2 / below if below > 0 else float(sum(len(log) - 1 for log in found.logs))
    half = float(t.ppf(0.975, freedom)) * variance**0.5
    return OverSeeds(variance**0.5, (found.value - half, found.value + half), freedom)


def pooled_variance(logs: Sequence[Floats]) -> tuple[float, int] | None:
    """The variance of ln MSE over seeds, pooled over sizes, and its degrees of freedom; None without two seeds."""
    freedom = sum(len(log) - 1 for log in logs)
    if freedom < 1:
        return None
    return sum(float(((log - log.mean()) ** 2).sum()) for log in logs) / freedom, freedom


def grid_noise(step: float) -> float:
    """The mean squared error that rounding to a grid of this step adds, step^2 / 12: no law goes below it."""
    return step**2 / 12

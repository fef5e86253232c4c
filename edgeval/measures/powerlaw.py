"""Power laws of error against size: the fit, its two kinds of interval, local exponents, and rival forms by AICc."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST = 3  # sizes below which a line has no standard error
RESAMPLES = 10_000
BREAKS = 400  # places of the break that are tried between two neighbouring sizes


@dataclass(frozen=True)
class PowerLaw:
    """error = c N^-alpha. `se` and `ci95` are the regression's (t distribution, n - 2 degrees of freedom)."""

    alpha: float
    c: float
    r2: float
    se: float
    ci95: tuple[float, float]
    n: int

    def at(self, sizes: Floats) -> Floats:
        """The law's error at these sizes."""
        return np.asarray(self.c * sizes**-self.alpha)


@dataclass(frozen=True)
class Form:
    """A form fitted by least squares on log error; aicc is None where there are too few sizes for it.

    `parameters` by name; the variance of the residuals counts as one more parameter in AICc.
    """

    name: str
    parameters: dict[str, float]
    rss: float
    aicc: float | None


@dataclass(frozen=True)
class Spread:
    """How alpha varies when seeds are drawn anew within each size: standard deviation and 95% percentile interval."""

    sd: float
    ci95: tuple[float, float]
    resamples: int


def fit_power(sizes: Floats, errors: Floats) -> PowerLaw:
    """Ordinary least squares of log error on log size (arXiv 2603.07365; PAPERS 1.3). sizes, errors: (n,), positive."""
    from scipy.stats import t

    x, y = np.log(sizes), np.log(errors)
    intercept, slope = _line(x, y)
    residuals = y - intercept - slope * x
    rss, n = float(residuals @ residuals), len(x)
    total = float(((y - y.mean()) ** 2).sum())
    se = float(np.sqrt(rss / (n - 2) / ((x - x.mean()) ** 2).sum()))
    half = float(t.ppf(0.975, n - 2)) * se
    r2 = 1 - rss / total if total > 0 else 1.0
    return PowerLaw(-slope, float(np.exp(intercept)), r2, se, (-slope - half, -slope + half), n)


def over_seeds(sizes: Floats, errors: Sequence[Floats], *, resamples: int = RESAMPLES, seed: int = 0) -> Spread | None:
    """Alpha over resamples of the seeds within each size; errors[i]: (seeds of size i,). None unless all have two.

    As published, which is too narrow: k seeds drawn anew vary by (k - 1) / k of their variance. It covers the exponent
    of endlessly many seeds in about 70, 82 and 88% of studies with 2, 3 and 5 seeds a size.
    """
    if any(len(values) < 2 for values in errors):
        return None
    rng = np.random.default_rng(seed)
    means = np.stack([values[rng.integers(0, len(values), (resamples, len(values)))].mean(axis=1) for values in errors])
    x = np.log(sizes) - np.log(sizes).mean()
    alphas = -(x @ np.log(means)) / (x @ x)
    low, high = np.percentile(alphas, [2.5, 97.5])
    return Spread(float(alphas.std(ddof=1)), (float(low), float(high)), resamples)


def local_exponents(sizes: Floats, errors: Floats) -> Floats:
    """(n - 1,) -(log e2 - log e1) / (log N2 - log N1) of neighbouring sizes (PAPERS 1.3)."""
    return np.asarray(-np.diff(np.log(errors)) / np.diff(np.log(sizes)))


def forms(sizes: Floats, errors: Floats) -> list[Form]:
    """The power law, a law with a floor, and a law with a break, the best by AICc first."""
    x, y = np.log(sizes), np.log(errors)
    found = [_power(x, y), _saturating(sizes, y)] + ([_broken(x, y)] if len(x) > 4 else [])
    return sorted(found, key=lambda form: float("inf") if form.aicc is None else form.aicc)


def aicc(rss: float, n: int, k: int) -> float | None:
    """AIC with the correction for few points: n ln(RSS / n) + 2k + 2k(k + 1) / (n - k - 1); k counts the variance."""
    if n - k - 1 <= 0 or rss <= 0:
        return None
    return n * log(rss / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """Intercept and slope by least squares."""
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    return float(y.mean() - slope * x.mean()), slope


def _power(x: Floats, y: Floats) -> Form:
    intercept, slope = _line(x, y)
    rss = float(((y - intercept - slope * x) ** 2).sum())
    return Form("power", {"c": float(np.exp(intercept)), "alpha": -slope}, rss, aicc(rss, len(x), 3))


def _saturating(sizes: Floats, y: Floats) -> Form:
    """error = floor + a N^-alpha: for each floor the rest is a line, so one number is searched for."""
    errors, x = np.exp(y), np.log(sizes)
    lowest = float(errors.min())

    def fitted(floor: float) -> tuple[float, float, float]:
        from scipy.optimize import least_squares

        start = _line(x, np.log(errors - floor))
        solved = least_squares(lambda p: np.log(floor + np.exp(p[0] + p[1] * x)) - y, start)
        return float(2 * solved.cost), float(solved.x[0]), float(solved.x[1])

    floor = _lowest(lambda floor: fitted(floor)[0], 0.0, 0.999 * lowest)
    rss, intercept, slope = fitted(floor)
    parameters = {"floor": floor, "a": float(np.exp(intercept)), "alpha": -slope}
    return Form("saturating", parameters, rss, aicc(rss, len(x), 4))


def _lowest(cost: Callable[[float], float], low: float, high: float) -> float:
    """Where a cost is lowest in [low, high], its ends included."""
    from scipy.optimize import minimize_scalar

    grid = np.linspace(low, high, 25)
    best = int(np.argmin([cost(float(value)) for value in grid]))
    around = (float(grid[max(0, best - 1)]), float(grid[min(len(grid) - 1, best + 1)]))
    found = float(minimize_scalar(cost, bounds=around, method="bounded").x)
    return min((found, float(grid[best])), key=cost)


def _broken(x: Floats, y: Floats) -> Form:
    """Two lines that meet: alpha before and after a break, which leaves at least two sizes on either side."""
    places = np.unique(np.concatenate([np.linspace(a, b, BREAKS) for a, b in pairwise(x[1:-1])]))
    fits = [_hinge(x, y, float(place)) for place in places]
    rss, slopes, intercept, at = min(fits, key=lambda fit: fit[0])
    parameters = {
        "c": float(np.exp(intercept)),
        "alpha": -slopes[0],
        "alpha_after": -slopes[1],
        "break": float(np.exp(at)),
    }
    return Form("broken", parameters, rss, aicc(rss, len(x), 5))


def _hinge(x: Floats, y: Floats, at: float) -> tuple[float, tuple[float, float], float, float]:
    """Residual sum, both slopes and intercept of the best two lines that meet at `at`."""
    columns = np.column_stack([np.ones_like(x), x, np.maximum(0, x - at)])
    found, *_ = np.linalg.lstsq(columns, y, rcond=None)
    rss = float(((y - columns @ found) ** 2).sum())
    return rss, (float(found[1]), float(found[1] + found[2])), float(found[0]), at

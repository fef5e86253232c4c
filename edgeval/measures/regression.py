"""Errors of numeric answers: plain figures, and studentised intervals for means and for ratios of means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.measures.resample import Resampled

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RESAMPLES = 10_000
MOST_RESAMPLED = 20_000  # samples beyond which the skewness-corrected normal form takes over
BLOCK_CELLS = 4_000_000
LEAST_SPREAD = 1e-200  # of squares; below, ratios to it overflow
FEWEST, FEWEST_MOVED, FEWEST_CARRYING = 30, 10, 5


@dataclass(frozen=True)
class Figures:
    """Errors (answer - target) of one output, in its unit; r2 is None where the targets are constant."""

    mse: float
    mae: float
    bias: float
    r2: float | None
    max_abs: float


@dataclass(frozen=True)
class Movement:
    """Absolute differences of two sides' answers: root mean square, 95th percentile, largest; in the output's unit."""

    rms: float
    p95: float
    max: float


@dataclass(frozen=True)
class Term:
    """What an interval is wanted for: offset + mean(top) / mean(bottom) over the samples, bottom 1 where it is None.

    top, bottom: (N,). `log`: the ratio is positive and its interval is made on the logarithm.
    """

    top: Floats
    bottom: Floats | None = None
    offset: float = 0.0
    log: bool = False

    @property
    def below(self) -> Floats:
        """(N,) the bottom, ones where there is none."""
        return np.ones(len(self.top)) if self.bottom is None else self.bottom


def figures(targets: Floats, values: Floats) -> Figures:
    """Figures of one output; targets, values: (N,). R2 = 1 - sum of squared errors / sum of squares about the mean."""
    error = values - targets
    spread = spread_of(targets)
    squared = float((error**2).mean())
    r2 = None if spread is None else 1 - squared / float(spread.mean())
    return Figures(squared, float(np.abs(error).mean()), float(error.mean()), r2, float(np.abs(error).max()))


def spread_of(targets: Floats) -> Floats | None:
    """(N,) squared distances of the targets from their mean; None where the targets are constant.

    Targets whose spread is too small to be squared and divided by count as constant.
    """
    spread = (targets - targets.mean()) ** 2
    return None if (targets == targets[0]).all() or spread.mean() < LEAST_SPREAD else spread


def movement(reference: Floats, candidate: Floats) -> Movement:
    """How far answers moved; reference, candidate: (N,)."""
    moved = np.abs(candidate - reference)
    return Movement(float(np.sqrt((moved**2).mean())), float(np.quantile(moved, 0.95)), float(moved.max()))


def within(targets: Floats, values: Floats, tolerance: Floats) -> Bools:
    """(N,) whether every output lies within its tolerance of its target; targets, values: (N, K), tolerance: (K,)."""
    return np.asarray((np.abs(values - targets) <= tolerance).all(axis=1))


def studentised(
    terms: Mapping[str, Term], *, resamples: int = RESAMPLES, seed: int = 0, most_resampled: int = MOST_RESAMPLED
) -> dict[str, Resampled]:
    """Each term with draws whose basic interval is its bootstrap-t interval (Efron and Tibshirani 1993, section 12.5).

    A draw is estimate + s t*, where t* = (estimate* - estimate) / s* and s is the standard error of a ratio of means
    R = A / B: sqrt(mean((a - R b)^2) / N) / B. Above `most_resampled` samples t* comes from the normal distribution
    with the first-order correction for skewness. Terms with too little behind them are marked approximate.
    """
    if not terms:
        return {}
    n = len(next(iter(terms.values())).top)
    if n > most_resampled:
        how = "normal interval with skewness correction"
        return {name: _resampled(term, _normal_t(term, resamples), how) for name, term in terms.items()}
    how = f"studentised bootstrap, {resamples:,} resamples"
    sums = _Sums(terms)
    parts = [sums.t_values(weights) for weights in _weights(n, resamples, seed)]
    drawn = {name: np.concatenate([part[name] for part in parts]) for name in terms}
    return {name: _resampled(term, drawn[name], how) for name, term in terms.items()}


class _Sums:
    """The columns whose weighted sums give every term and its standard error; equal columns are kept once."""

    def __init__(self, terms: Mapping[str, Term]) -> None:
        self.terms = terms
        self.columns: list[Floats] = []
        places: dict[bytes, int] = {}
        self.at: dict[str, list[int]] = {}
        for name, term in terms.items():
            a, b = _scaled(term.top), _scaled(term.below)
            self.at[name] = [self._place(column, places) for column in (a, b, a * a, a * b, b * b)]
        self.matrix = np.column_stack(self.columns)
        self.estimates = {name: self._mean(places[0]) / self._mean(places[1]) for name, places in self.at.items()}

    def _mean(self, place: int) -> float:
        return float(self.columns[place].mean())

    def _place(self, column: Floats, places: dict[bytes, int]) -> int:
        """The position of a column, which is added if it is new."""
        key = column.tobytes()
        if key not in places:
            places[key] = len(self.columns)
            self.columns.append(column)
        return places[key]

    def t_values(self, weights: Floats) -> dict[str, Floats]:
        """(B,) t* of each term under (B, N) bootstrap counts; on the logarithm where the term asks for it."""
        n = weights.shape[1]
        means = weights @ self.matrix / n
        found = {}
        for name, places in self.at.items():
            a, b, aa, ab, bb = (means[:, place] for place in places)
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = a / b
                error = np.sqrt(np.maximum(aa - 2 * ratio * ab + ratio**2 * bb, 0) / n) / np.abs(b)
                if self.terms[name].log:
                    found[name] = np.log(ratio / self.estimates[name]) / (error / ratio)
                else:
                    found[name] = (ratio - self.estimates[name]) / error
        return found


def _weights(n: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Blocks (B, n) of how often each sample is drawn, n draws with replacement a row."""
    rng = np.random.default_rng(seed)
    block = max(1, min(resamples, BLOCK_CELLS // n))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = rng.integers(0, n, (rows, n)) + np.arange(rows)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _scaled(column: Floats) -> Floats:
    """The column with largest entry 1, so that its powers neither overflow nor vanish; t* does not depend on it."""
    largest = float(np.abs(column).max())
    return column / largest if largest > 0 else column


def _ratio(term: Term) -> float:
    """The plain ratio, without the offset."""
    return float(term.top.mean() / term.below.mean())


def _influence(term: Term) -> Floats:
    """(N,) influence of each sample on the ratio; its mean is 0."""
    below = term.below
    return np.asarray((term.top - _ratio(term) * below) / below.mean())


def _normal_t(term: Term, draws: int) -> Floats:
    """(draws,) evenly spaced quantiles of the t statistic: z - skewness (2 z^2 + 1) / (6 sqrt(N))."""
    from scipy.stats import norm

    z = norm.ppf((np.arange(draws) + 0.5) / draws)
    pulls = _influence(term)
    spread = float(np.sqrt((pulls**2).mean()))
    skew = float(((pulls / spread) ** 3).mean()) if spread > 0 else 0.0
    return np.asarray(z - skew * (2 * z**2 + 1) / (6 * np.sqrt(len(pulls))))


def _resampled(term: Term, t: Floats, how: str) -> Resampled:
    """Draws on the term's own scale. Values of t* that a resample without spread left undefined count as 0."""
    ratio, pulls = _ratio(term), _influence(term)
    error = float(np.sqrt((pulls**2).mean() / len(pulls)))
    why = _weakness(pulls)
    t = np.nan_to_num(t, nan=0.0, posinf=1e3, neginf=-1e3)
    drawn = ratio + error * t
    if term.log:  # the basic interval reflects about the estimate; what it reflects into is exp(log R - s t)
        drawn = 2 * ratio - ratio * np.exp(np.clip(-t * error / ratio, -50, 50))
    return Resampled(ratio + term.offset, drawn + term.offset, how, why)


def _weakness(pulls: Floats) -> str:
    """Why an interval may not decide a gate; empty where it may. pulls: (N,) influences."""
    squares = _scaled(pulls) ** 2
    total, n = float(squares.sum()), len(pulls)
    if n < FEWEST:
        return f"{n} samples; at least {FEWEST} are needed"
    if total == 0:
        return ""
    moved = int((np.abs(pulls - np.median(pulls)) > 1e-9 * np.abs(pulls).max()).sum())
    if moved < FEWEST_MOVED:
        return f"only {moved} samples make the whole difference; at least {FEWEST_MOVED} are needed"
    carrying = total**2 / float((squares**2).sum())  # how many samples of equal weight would scatter as much
    few = f"about {carrying:.0f} samples make most of the variance; at least {FEWEST_CARRYING} are needed"
    return few if carrying < FEWEST_CARRYING else ""

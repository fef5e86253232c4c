"""How often the intervals of a regression comparison hold the truth:  python tests/benchmarks/regression_coverage.py

Prints the table of docs/regression.md; about 8 minutes of one core.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.measures.regression import Term, studentised

Floats = NDArray[np.float64]
Draw = Callable[[int, np.random.Generator], tuple[Floats, Floats]]
TARGET_SPREAD = 3.0


def copy(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Normal errors, and a deployed copy that moves each a little."""
    before = rng.normal(0, 1, n)
    return before, before + rng.normal(0.05, 0.3, n)


def heavy(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Errors with heavy tails (t with 5 degrees of freedom), and a copy."""
    before = rng.standard_t(5, n)
    return before, before + rng.normal(0.05, 0.3, n)


def skewed(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Lognormal errors, which a copy stretches."""
    before = rng.lognormal(0, 0.6, n) - np.exp(0.18)
    return before, 1.1 * before + rng.normal(0, 0.2, n)


def spikes(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A copy that is nearly exact, and far off in 2% of the samples."""
    before = rng.normal(0, 1, n)
    return before, before + rng.normal(0, 0.1, n) + (rng.random(n) < 0.02) * rng.normal(0, 4, n)


def independent(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Two models with Laplace errors that have nothing to do with each other."""
    return rng.laplace(0, 1, n), rng.laplace(0, 1.1, n)


KINDS: dict[str, Draw] = {f.__name__: f for f in (copy, heavy, skewed, spikes, independent)}


def terms(targets: Floats, before: Floats, now: Floats) -> dict[str, Term]:
    """What a comparison of one output shows."""
    worse = now**2 - before**2
    return {
        "mse": Term(worse),
        "mae": Term(np.abs(now) - np.abs(before)),
        "bias": Term(now - before),
        "r2": Term(-worse, (targets - targets.mean()) ** 2),
        "mse_ratio": Term(now**2, before**2, log=True),
    }


def truth(draw: Draw) -> dict[str, float]:
    """The figures of three million samples."""
    rng, sums = np.random.default_rng(99), np.zeros(4)
    for _ in range(3):
        before, now = draw(1_000_000, rng)
        sums += [(before**2).mean(), (now**2).mean(), (np.abs(now) - np.abs(before)).mean(), (now - before).mean()]
    one, two, mae, bias = (sums / 3).tolist()
    return {"mse": two - one, "mae": mae, "bias": bias, "r2": (one - two) / TARGET_SPREAD**2, "mse_ratio": two / one}


@dataclass(frozen=True)
class Coverage:
    """Shares of the repeats.

    hits: 95% intervals that hold the truth, by measure; marked: comparisons whose MSE ratio is marked approximate;
    false_pass: a rule `mse_ratio max` whose limit is the true ratio passes at 95% confidence.
    """

    hits: dict[str, float]
    marked: float
    false_pass: float


def coverage(draw: Draw, n: int, *, repeats: int, resamples: int) -> Coverage:
    """Draw comparisons of n samples and see what their intervals hold."""
    rng, true = np.random.default_rng(1), truth(draw)
    hits, marked, passed = dict.fromkeys(true, 0), 0, 0
    for repeat in range(repeats):
        found = studentised(terms(rng.normal(0, TARGET_SPREAD, n), *draw(n, rng)), resamples=resamples, seed=repeat)
        for name, one in found.items():
            low, high = one.interval()
            hits[name] += low <= true[name] <= high
        ratio = found["mse_ratio"]
        marked += bool(ratio.approximate)
        passed += not ratio.approximate and ratio.interval(0.9)[1] < true["mse_ratio"]
    return Coverage({name: count / repeats for name, count in hits.items()}, marked / repeats, passed / repeats)


def main() -> None:
    """The whole table."""
    print("| errors | n | MSE | MAE | bias | R2 | MSE ratio | approximate | false PASS |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for n, repeats in ((200, 2000), (1000, 1000), (10_000, 100)):
        for name, draw in KINDS.items():
            found = coverage(draw, n, repeats=repeats, resamples=1000)
            cells = " | ".join(f"{share:.3f}" for share in found.hits.values())
            print(f"| {name} | {n:,} | {cells} | {found.marked:.2f} | {found.false_pass:.3f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())

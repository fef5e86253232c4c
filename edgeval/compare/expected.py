"""What float training at a given size leads one to expect, from the rungs of a ladder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from edgeval.records.findings import Expectation

METRICS = ("top1", "gini", "bottom5", "ece")
RISING = {"top1": 1, "bottom5": 1, "gini": -1}


@dataclass(frozen=True)
class Point:
    """Measures of one float checkpoint: its number of parameters, its seed and its figures by metric."""

    params: int
    seed: int
    figures: dict[str, float]


def expected(points: Sequence[Point], params: int) -> tuple[dict[str, Expectation] | None, str]:
    """Expectation of each metric at this size, or None with the reason.

    At a rung's own size: the mean over its seeds, with a prediction band from their spread (t distribution). Between
    rungs: monotone interpolation in log N of top-1, Gini and bottom-5, plain interpolation of ECE, with the largest
    leave-one-width-out error as band. Never beyond the ladder (DESIGN: expected for its size).
    """
    sizes = sorted({point.params for point in points})
    if not sizes:
        return None, "no float checkpoint of the ladder has kept answers"
    if not sizes[0] <= params <= sizes[-1]:
        return None, f"{params:,} parameters lie outside the ladder ({sizes[0]:,} to {sizes[-1]:,})"
    found = {}
    for metric in METRICS:
        by_size = {n: [p.figures[metric] for p in points if p.params == n and metric in p.figures] for n in sizes}
        known = {n: values for n, values in by_size.items() if values}
        if params in known:
            found[metric] = _own(metric, known, params)
        elif len(known) > 1 and min(known) < params < max(known):
            found[metric] = _between(metric, known, params)
    return (found, "") if found else (None, "the checkpoints have no figures to compare with")


def _own(metric: str, known: dict[int, list[float]], params: int) -> Expectation:
    """A rung's own float checkpoints over seeds."""
    values = np.array(known[params])
    mean = float(values.mean())
    if len(values) > 1:
        from scipy.stats import t

        half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) * np.sqrt(1 + 1 / len(values)))
        method = f"its own float checkpoints, {len(values)} seeds; 95% prediction band of one more seed"
        return Expectation(value=mean, lo=mean - half, hi=mean + half, method=method)
    method = "its own float checkpoint, one seed: no band (train more seeds)"
    return Expectation(value=mean, lo=mean, hi=mean, method=method)


def _between(metric: str, known: dict[int, list[float]], params: int) -> Expectation:
    """Interpolated between the widths around it."""
    sizes, means = np.array(sorted(known)), np.array([np.mean(known[n]) for n in sorted(known)])
    value = _interpolate(metric, sizes, means, params)
    missed = [
        abs(_interpolate(metric, np.delete(sizes, i), np.delete(means, i), int(sizes[i])) - means[i])
        for i in range(1, len(sizes) - 1)
    ]
    half = float(max(missed)) if missed else float(abs(np.diff(means)).max())
    band = "leave-one-width-out error as band" if missed else "two widths only: their whole distance as band"
    kind = "monotone" if metric in RISING else "plain"
    return Expectation(value=value, lo=value - half, hi=value + half, method=f"{kind} interpolation in log N; {band}")


def _interpolate(metric: str, sizes: NDArray[np.int64], means: NDArray[np.float64], params: int) -> float:
    """Piecewise linear in log N; what must rise or fall with size is made to (isotonic) first."""
    if metric in RISING:
        from scipy.optimize import isotonic_regression

        means = isotonic_regression(means, increasing=RISING[metric] > 0).x
    return float(np.interp(log(params), np.log(sizes), means))

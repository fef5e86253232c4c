"""Every measure of one regression table, with intervals."""

from __future__ import annotations

import numpy as np

from edgeval.compare.moved import oddities
from edgeval.compare.regress import CONSTANT, MOST_CELLS, estimate_of, tolerances
from edgeval.measures import regression as measure
from edgeval.measures.paired import wilson
from edgeval.measures.regression import Term
from edgeval.records.findings import Estimate
from edgeval.records.regression import OutputScore, RegressionScore
from edgeval.records.values import Values

# The ends that the figures themselves cannot leave.
RANGES = {"mse": (0.0, np.inf), "mae": (0.0, np.inf), "bias": (-np.inf, np.inf), "r2": (-np.inf, 1.0)}


def score_values(table: Values, *, tolerance: tuple[float, ...] | None = None, seed: int = 0) -> RegressionScore:
    """All measures of a table; 95% intervals, Wilson's for the share within the tolerance. Raises DataError."""
    errors, n = table.errors, len(table)
    terms = {"mse": Term((errors**2).mean(axis=1)), "mae": Term(np.abs(errors).mean(axis=1))}
    for name, error, targets in zip(table.output_names, errors.T, table.targets.T, strict=True):
        terms |= {f"{name}/mse": Term(error**2), f"{name}/mae": Term(np.abs(error)), f"{name}/bias": Term(error)}
        spread = measure.spread_of(targets)
        if spread is not None:
            terms[f"{name}/r2"] = Term(-(error**2), spread, offset=1.0)
    most = min(measure.MOST_RESAMPLED, MOST_CELLS // len(table.output_names))
    found = measure.studentised(terms, seed=seed, most_resampled=most)

    def estimate(key: str) -> Estimate:
        low, high = RANGES[key.rpartition("/")[2]]
        return estimate_of(found[key], n, low=low, high=high) if key in found else Estimate(value=None, method=CONSTANT)

    outputs = tuple(
        OutputScore(
            name=name,
            **{key: estimate(f"{name}/{key}") for key in RANGES},
            max_abs=Estimate(value=float(np.abs(error).max()), method="a largest value has no interval"),
        )
        for name, error in zip(table.output_names, errors.T, strict=True)
    )
    limits = tolerances(tolerance, len(table.output_names))
    return RegressionScore(
        source=table.source,
        n=n,
        mse=estimate("mse"),
        mae=estimate("mae"),
        per_output=outputs,
        tolerance=limits,
        within_tolerance=None if limits is None else _within(table, limits),
        notes=(*table.notes, *table.source.notes, *oddities(table)),
    )


def _within(table: Values, tolerance: tuple[float, ...]) -> Estimate:
    """The share of samples all of whose outputs lie within their tolerance."""
    inside = int(measure.within(table.targets, table.values, np.array(tolerance)).sum())
    return Estimate(value=inside / len(table), ci95=wilson(inside, len(table)), method="Wilson")

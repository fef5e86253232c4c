"""Fit the law of error against size to errors by size and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgeval.errors import DataError
from edgeval.measures import powerlaw
from edgeval.records.laws import Exponent, Law, LawForm, LocalExponent, SeedSpread, SizePoint

Errors = Mapping[int, Sequence[float]]


def law(name: str, errors: Errors, *, names: Mapping[int, str] | None = None) -> Law:
    """The law over mean errors by size; errors: number of parameters to the error of each seed. Raises DataError."""
    check(errors)
    params = sorted(errors)
    by_seed = [np.array(errors[n], float) for n in params]
    sizes, means = np.array(params, float), np.array([values.mean() for values in by_seed])
    fitted = powerlaw.fit_power(sizes, means)
    alpha = Exponent(
        value=fitted.alpha,
        se=fitted.se,
        ci95=fitted.ci95,
        method="ordinary least squares of log error on log size, t distribution",
        over_seeds=_over_seeds(powerlaw.over_seeds(sizes, by_seed)),
    )
    local = powerlaw.local_exponents(sizes, means)
    pairs = zip(params[:-1], params[1:], local.tolist(), strict=True)
    return Law(
        name=name,
        alpha=alpha,
        c=fitted.c,
        r2=fitted.r2,
        n_points=fitted.n,
        local=tuple(LocalExponent(params_from=a, params_to=b, alpha=value) for a, b, value in pairs),
        models=tuple(_form(form) for form in powerlaw.forms(sizes, means)),
        points=tuple(_point(n, values, names) for n, values in zip(params, by_seed, strict=True)),
        notes=tuple(_notes(by_seed)),
    )


def check(errors: Errors) -> None:
    """Raise DataError for what no law can be fitted to."""
    if len(errors) < powerlaw.FEWEST:
        seen, hint = f"{len(errors)} sizes", f"give at least {powerlaw.FEWEST} sizes"
        raise DataError("too few sizes for a law with an interval", seen=seen, hint=hint)
    for params, values in errors.items():
        bad = [value for value in values if not (np.isfinite(value) and value > 0)]
        if bad:
            seen, hint = f"{bad[0]} at {params:,} parameters", "leave that size out"
            raise DataError("a law needs errors above 0", seen=seen, hint=hint)


def _over_seeds(found: powerlaw.Spread | None) -> SeedSpread | None:
    if found is None:
        return None
    method = f"percentile over {found.resamples:,} draws of the seeds, approximate: too narrow with few seeds"
    return SeedSpread(sd=found.sd, ci95=found.ci95, method=method)


def _form(form: powerlaw.Form) -> LawForm:
    return LawForm(name=form.name, aicc=form.aicc, parameters=form.parameters)


def _point(params: int, values: np.ndarray[Any, np.dtype[np.float64]], names: Mapping[int, str] | None) -> SizePoint:
    sd = float(values.std()) if len(values) > 1 else None
    name = (names or {}).get(params, f"{params:,}")
    return SizePoint(name=name, params=params, error=float(values.mean()), seeds=len(values), sd=sd)


def _notes(by_seed: list[np.ndarray[Any, np.dtype[np.float64]]]) -> list[str]:
    """What a reader of the law must know."""
    counts = sorted({len(values) for values in by_seed})
    if counts == [1]:
        return ["one seed (or one mean) a size: the interval is the regression's alone"]
    return [f"sizes have different numbers of seeds: {counts[0]} to {counts[-1]}"] if len(counts) > 1 else []

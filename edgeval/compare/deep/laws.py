"""Laws of the error of regressors: along training images at each width, along parameters at each number of images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.deep.sizes import Size, positive_mean, squares
from edgeval.measures.mselaw import MseLaw, OverSeeds, mse_law
from edgeval.measures.powerlaw import FEWEST, PowerLaw
from edgeval.records.deep_regression import Along, ErrorLaw, ErrorPoint
from edgeval.records.laws import Exponent, LawForm, SeedSpread
from edgeval.records.regressors import Regressors

Floats = NDArray[np.float64]
METHOD = "ordinary least squares of log MSE on log size, t distribution"


@dataclass(frozen=True)
class Series:
    """Sizes of one network that differ in one thing only, smallest first: what a law is fitted to.

    sizes: training images or parameters; models: the positions of the seeds of each.
    """

    net: str
    along: Along
    fixed: str
    format: str
    target: str
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    models: tuple[tuple[int, ...], ...]

    @property
    def place(self) -> tuple[str, str]:
        return self.format, self.target

    @property
    def question(self) -> tuple[str, Along, str]:
        """What is asked, wherever the networks run."""
        return self.net, self.along, self.fixed


def series_of(found: Regressors, made: Mapping[Size, Sequence[int]]) -> list[Series]:
    """Every series with enough sizes; networks of different protocols are never put into one."""
    groups: dict[tuple[str, str, str, str, Along, float], list[Size]] = {}
    for size in made:
        place = size.net, size.protocol, size.format, size.target
        groups.setdefault((*place, "images", size.width), []).append(size)
        groups.setdefault((*place, "parameters", size.images), []).append(size)
    protocols = {size.protocol for size in made}
    return list(_series(found, made, groups, many=len(protocols) > 1))


def _series(
    found: Regressors,
    made: Mapping[Size, Sequence[int]],
    groups: Mapping[tuple[str, str, str, str, Along, float], list[Size]],
    *,
    many: bool,
) -> Iterator[Series]:
    for (net, protocol, fmt, target, along, held), members in groups.items():
        by_size = {_count(found, made, member, along): member for member in members}
        sizes = sorted(by_size)
        if len(sizes) < FEWEST:
            continue
        fixed = f"width {held:g}" if along == "images" else f"{held:,.0f} images"
        yield Series(
            net,
            along,
            f"{fixed}, {protocol}" if many else fixed,
            fmt,
            target,
            tuple(found.models[made[by_size[n]][0]].rung for n in sizes),
            tuple(sizes),
            tuple(tuple(made[by_size[n]]) for n in sizes),
        )


def _count(found: Regressors, made: Mapping[Size, Sequence[int]], size: Size, along: Along) -> int:
    return size.images if along == "images" else found.models[made[size][0]].params


def errors_of(found: Regressors, series: Series, output: int) -> list[Floats]:
    """The MSE of each seed, size by size."""
    return [squares(found, at).mse[:, output] for at in series.models]


def laws(found: Regressors, series: Sequence[Series]) -> list[ErrorLaw]:
    """The law of each output of each series; none where an error is exactly 0."""
    return [
        error_law(found, one, k)
        for one in series
        for k in range(len(found.output_names))
        if all((errors > 0).all() for errors in errors_of(found, one, k))
    ]


def error_law(found: Regressors, series: Series, output: int) -> ErrorLaw:
    """The law of one output over a series."""
    errors = errors_of(found, series, output)
    law = mse_law(np.array(series.sizes, float), errors)
    return ErrorLaw(
        net=series.net,
        along=series.along,
        fixed=series.fixed,
        output=found.output_names[output],
        format=series.format,
        target=series.target,
        exponent=exponent(law.power, law.spread),
        c=law.power.c,
        r2=law.power.r2,
        falls=law.falls,
        floor=law.floor,
        forms=_forms(law),
        points=tuple(
            ErrorPoint(
                name=name,
                size=size,
                mse=positive_mean(seeds),
                low=float(seeds.min()),
                high=float(seeds.max()),
                seeds=len(seeds),
            )
            for name, size, seeds in zip(series.names, series.sizes, errors, strict=True)
        ),
    )


def _forms(law: MseLaw) -> tuple[LawForm, ...]:
    return tuple(
        LawForm.model_validate({"name": f.name, "aicc": f.aicc, "parameters": f.parameters}) for f in law.forms
    )


def exponent(law: PowerLaw, spread: OverSeeds | None = None) -> Exponent:
    """An exponent with the regression's interval, and the one over seeds."""
    seeds = None
    if spread is not None:
        method = f"each size's variance over seeds, t distribution, {spread.freedom:.1f} degrees of freedom"
        seeds = SeedSpread(sd=spread.se, ci95=spread.ci95, method=method)
    return Exponent(value=law.alpha, se=law.se, ci95=law.ci95, method=METHOD, over_seeds=seeds)

"""Laws of the error of regressors: along training images at each width, along parameters at each number of images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeval.compare.deep.sizes import Kind, Size, log_mse
from edgeval.measures.logmse import Estimate, LogMse, estimate
from edgeval.measures.mselaw import MseLaw, mse_law, slope
from edgeval.measures.powerlaw import FEWEST, PowerLaw
from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import Along, ErrorLaw, ErrorPoint, ExponentChange
from edgeval.records.laws import Exponent, LawForm, SeedSpread
from edgeval.records.regressors import Regressors

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


def logs_of(found: Regressors, series: Series, output: int, kind: Kind = "mse") -> list[LogMse] | None:
    """ln of the mean squares of each size; None where one is exactly 0."""
    logs = [log_mse(found, at, output, kind) for at in series.models]
    known = [log for log in logs if log is not None]
    return known if len(known) == len(logs) else None


def laws(found: Regressors, series: Sequence[Series]) -> list[ErrorLaw]:
    """The law of each output of each series; none where an error is exactly 0."""
    return [
        law for one in series for k in range(len(found.output_names)) if (law := _error_law(found, one, k)) is not None
    ]


def _error_law(found: Regressors, series: Series, output: int) -> ErrorLaw | None:
    """The law of one output over a series."""
    errors = logs_of(found, series, output)
    if errors is None:
        return None
    law = mse_law(np.array(series.sizes, float), errors)
    return ErrorLaw(
        net=series.net,
        along=series.along,
        fixed=series.fixed,
        output=found.output_names[output],
        format=series.format,
        target=series.target,
        exponent=exponent(law.power, law.spread),
        change=None if series.format == TORCH else _change(found, series, output, errors),
        c=law.power.c,
        r2=law.power.r2,
        falls=law.falls,
        floor=law.floor,
        forms=_forms(law),
        points=tuple(
            ErrorPoint(
                name=name,
                size=size,
                mse=float(np.exp(log.mean)),
                low=float(np.exp(log.seeds.min())),
                high=float(np.exp(log.seeds.max())),
                seeds=len(log.seeds),
            )
            for name, size, log in zip(series.names, series.sizes, errors, strict=True)
        ),
    )


def _change(found: Regressors, series: Series, output: int, errors: Sequence[LogMse]) -> ExponentChange | None:
    """The exponent as deployed less that of the same networks as trained, paired by seed and test image."""
    trained = logs_of(found, series, output, "trained")
    if trained is None:
        return None
    ratios = [one - other for one, other in zip(errors, trained, strict=True)]
    change = estimate(slope(np.array(series.sizes, float)), ratios)
    return None if change is None else ExponentChange(value=change.value, ci95=change.ci95)


def _forms(law: MseLaw) -> tuple[LawForm, ...]:
    return tuple(
        LawForm.model_validate({"name": f.name, "aicc": f.aicc, "parameters": f.parameters}) for f in law.forms
    )


def exponent(law: PowerLaw, spread: Estimate | None = None) -> Exponent:
    """An exponent with the regression's interval, and the one over seeds and test images."""
    seeds = None
    if spread is not None:
        method = f"variances over each size's seeds and over test images, t, {spread.freedom:.1f} degrees of freedom"
        seeds = SeedSpread(sd=spread.se, ci95=spread.ci95, method=method)
    return Exponent(value=law.alpha, se=law.se, ci95=law.ci95, method=METHOD, over_seeds=seeds)

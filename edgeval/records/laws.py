"""How error falls with size: a fitted law and the points behind it."""

from __future__ import annotations

from typing import Literal

from edgeval.records.cards import Record


class SizePoint(Record):
    """The mean error over the seeds of one size; `sd` with ddof 0, as published tables have it."""

    name: str
    params: int
    error: float
    seeds: int
    sd: float | None = None


class SeedSpread(Record):
    """How alpha varies over the seeds, and over test images where `method` names them."""

    sd: float
    ci95: tuple[float, float]
    method: str


class Exponent(Record):
    """alpha of error = c N^-alpha, positive where error falls; `se` and `ci95` are the regression's."""

    value: float
    se: float
    ci95: tuple[float, float]
    method: str
    over_seeds: SeedSpread | None = None


class LocalExponent(Record):
    """alpha between two neighbouring sizes."""

    params_from: int
    params_to: int
    alpha: float


class LawForm(Record):
    """One form of the law; `aicc` is null where there are too few sizes for it."""

    name: Literal["power", "saturating", "broken"]
    aicc: float | None
    parameters: dict[str, float]


class Law(Record):
    """A law and what it was fitted to. `models` holds its rivals too, the best by AICc first."""

    name: str
    alpha: Exponent
    c: float
    r2: float
    n_points: int
    local: tuple[LocalExponent, ...]
    models: tuple[LawForm, ...]
    points: tuple[SizePoint, ...]
    notes: tuple[str, ...] = ()

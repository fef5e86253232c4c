"""What a study of regressors finds: errors by size and their laws, where int8 stops them, baselines, claims."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeval.records.cards import Record
from edgeval.records.findings import Interval
from edgeval.records.laws import Exponent, LawForm
from edgeval.records.study import Claim
from edgeval.records.target import Origin
from edgeval.records.units import Unit

Along = Literal["images", "parameters"]


class OutputErrors(Record):
    """One output of one size, over its seeds. Squares of the output's unit, which is the range it was drawn from.

    mse: geometric mean over the seeds, mse_seeds each; bias, r2 (null where the targets are constant), p95 and max_abs
    (of |answer - target|): means over the seeds; within: share of the samples inside the band; rmse: the root of mse in
    physical units, null where the study does not know them. As deployed too: noise, the mean square that the answers
    moved from those as trained (geometric mean over seeds); ratio: mse over that as trained of the same seeds; left,
    came: shares of the samples that left the band and came into it; step: of the grid that the answers lie on, where
    int8.
    """

    output: str
    mse: float
    mse_seeds: tuple[float, ...]
    bias: float
    r2: float | None
    p95: float
    max_abs: float
    within: float
    rmse: float | None = None
    noise: float | None = None
    ratio: float | None = None
    left: float | None = None
    came: float | None = None
    step: float | None = None


class SizeErrors(Record):
    """One network at one width and number of training images, in one format on one target."""

    net: str
    rung: str
    width: float
    params: int
    images: int
    format: str
    target: str
    origin: Origin
    protocol: str
    seeds: tuple[int, ...]
    rates: tuple[float, ...]
    size_bytes: int | None
    latency_p50_ms: float | None
    outputs: tuple[OutputErrors, ...]


class ErrorPoint(Record):
    """One size of a law: mse is the geometric mean over seeds, low and high the least and the largest seed."""

    name: str
    size: int
    mse: float
    low: float
    high: float
    seeds: int


class ExponentChange(Record):
    """An exponent as deployed less that of the same networks as trained, paired by seed and test image."""

    value: float
    ci95: Interval


class ErrorLaw(Record):
    """MSE = c N^-exponent of one output, over all sizes in `points` (the window).

    along: what N counts; fixed: what is held, such as "4,000 images"; change: null as trained, and where a size has one
    seed; falls: whether the error falls at every step;
    floor: c of MSE = c + a N^-b where AICc prefers that; forms: the rivals, best by AICc first.
    """

    net: str
    along: Along
    fixed: str
    output: str
    format: str
    target: str
    exponent: Exponent
    change: ExponentChange | None = None
    c: float
    r2: float
    falls: bool
    floor: float | None
    forms: tuple[LawForm, ...]
    points: tuple[ErrorPoint, ...]

    @property
    def window(self) -> tuple[int, int]:
        """The smallest and the largest size."""
        return self.points[0].size, self.points[-1].size

    @property
    def bent(self) -> bool:
        """Whether AICc prefers a floor or a break to the plain law: the exponent is then a mean over the window."""
        return bool(self.forms) and self.forms[0].name != "power"


class QuantisationFloor(Record):
    """Where quantisation stops a law of one output, in one format on one target.

    points: (size, MSE as trained, noise, MSE as deployed); noise is the mean square that answers moved. stops: the size
    at which the noise equals the error as trained, by straight lines between sizes on logarithmic axes; null where it
    does not within the window, and then `side` says on which side it lies: `before` the smallest (the noise is the
    larger everywhere) or `after` the largest; undecided: the sizes between which noise and error as trained cannot be
    told apart at 95% by seeds and test images, null for an end outside of the window, null alone where a size has one
    seed, or they are told apart on the side where they meet; seeds: the fewest of any size; beyond: where the two laws
    would meet after it, null where they never do. before: the exponent as deployed up to there, null with fewer than
    three sizes; whole: over the whole window; trained: as trained. grid: step^2 / 12, the noise of an ideal rounding of
    the output alone, and its share of the noise at the largest size.
    """

    net: str
    along: Along
    fixed: str
    output: str
    format: str
    target: str
    points: tuple[tuple[int, float, float, float], ...]
    seeds: int
    side: Literal["within", "before", "after"]
    stops: float | None
    undecided: tuple[float | None, float | None] | None = None
    beyond: float | None
    before: Exponent | None
    whole: Exponent
    trained: Exponent
    step: float | None
    grid: float | None
    grid_share: float | None


class Doubling(Record):
    """What twice the training images, or twice the parameters, would multiply the MSE of one output by.

    By straight lines through the last sizes (within a factor of four, three at least) of the two laws that meet at
    `images` and `params`, which is among the last of both; intervals by t from each size's own variance over seeds
    (pooled where a size has one seed) and that over test images: they do not know of a bend. better: cannot be told
    where the interval of the difference of both exponents holds 0.
    """

    net: str
    output: str
    images: int
    params: int
    by_images: float
    by_images_ci95: Interval
    by_params: float
    by_params_ci95: Interval
    better: Literal["images", "parameters", "cannot be told"]


class BaselineRow(Record):
    """One output at one number of training images: MSE of the mean predictor, of kernel ridge, and of each network as
    trained, at its largest width there (chosen without looking at any error), a geometric mean over the seeds."""

    output: str
    images: int
    mean: float
    ridge: float | None
    nets: dict[str, float]


class Check(Record):
    """One of the study's own conditions, whether it holds, and what was seen."""

    text: str
    holds: bool
    seen: str


class DeepRegression(Record):
    """A whole study of regressors. band: half the width of the tolerance band of each output, in its range; units: the
    physical unit and the range of each output, empty where they are not known."""

    schema_: Literal["edgeval/deep-regression/1"] = Field(default="edgeval/deep-regression/1", alias="schema")
    name: str
    protocols: tuple[str, ...]
    n: int
    outputs: tuple[str, ...]
    band: tuple[float, ...]
    units: tuple[Unit, ...] = ()
    rows: tuple[SizeErrors, ...]
    laws: tuple[ErrorLaw, ...]
    floors: tuple[QuantisationFloor, ...]
    doublings: tuple[Doubling, ...]
    baselines: tuple[BaselineRow, ...]
    claims: tuple[Claim, ...]
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()

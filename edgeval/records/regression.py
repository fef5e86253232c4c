"""What a comparison of two regression models says, in the order and under the names of its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from edgeval.measures.resample import Resampled
from edgeval.records.cards import Record
from edgeval.records.findings import Delta, Estimate, Expectation, Flips, Floor
from edgeval.records.predictions import Latency, Source
from edgeval.records.verdict import Verdict


class Moved(Record):
    """|candidate - reference| of one output in its unit, and relative to the standard deviation of its targets."""

    rms: float
    p95: float
    max: float
    rms_relative: float | None = None
    p95_relative: float | None = None
    max_relative: float | None = None


class ErrorBin(Record):
    """Samples whose target lies in [lo, hi]: root mean square error and mean error of each side."""

    lo: float
    hi: float
    n: int
    rmse_reference: float
    rmse_candidate: float
    bias_reference: float
    bias_candidate: float


class ErrorCurve(Record):
    """Absolute errors at these shares of the samples: `share` of them err by at most the value."""

    share: tuple[float, ...]
    reference: tuple[float, ...]
    candidate: tuple[float, ...]

    @model_validator(mode="after")
    def _equally_long(self) -> ErrorCurve:
        if not 1 <= len(self.share) == len(self.reference) == len(self.candidate):
            raise ValueError("share, reference and candidate must be equally long")
        return self


class ValueStage(Record):
    """One step of the chain, each figure one an output.

    mse: after the step; mse_change: across it; moved: root mean square of what the answers moved; lost, gained: samples
    that left the tolerance and came in, null without one.
    """

    name: Literal["size", "export", "quantisation", "device"]
    from_: str = Field(alias="from")
    to: str
    mse: tuple[float, ...]
    mse_change: tuple[float, ...]
    moved: tuple[float, ...]
    lost: int | None = None
    gained: int | None = None
    net: int | None = None


class OutputDelta(Record):
    """One output on both sides; step: of the grid that the candidate's answers lie on, where it is quantised."""

    name: str
    mse: Delta
    mae: Delta
    bias: Delta
    r2: Delta
    max_abs: Delta
    mse_ratio: Estimate
    moved: Moved
    step: float | None = None
    bins: tuple[ErrorBin, ...] = ()
    curve: ErrorCurve | None = None


class MovedSample(Record):
    """One of the samples whose answer moved most, measured in standard deviations of the targets."""

    id: str
    output: str
    target: float
    reference: float
    candidate: float


class RegressionComparison(Record):
    """A regression candidate against a reference on the same samples.

    metrics: mse, mae, and within_tolerance where a tolerance was given. flips: within the tolerance counts as right.
    tolerance: one for each output, in its unit.
    """

    schema_: Literal["edgeval/compare/1"] = Field(default="edgeval/compare/1", alias="schema")
    task: Literal["regression"] = "regression"
    reference: Source
    candidate: Source
    target: Source
    n: int
    metrics: dict[str, Delta]
    mse_ratio: Estimate
    per_output: tuple[OutputDelta, ...]
    stages: tuple[ValueStage, ...] = ()
    tolerance: tuple[float, ...] | None = None
    flips: Flips | None = None
    latency_ms: Latency | None = None
    kernel_floor: Floor | None = None
    expected: dict[str, Expectation] | None = None
    expected_reason: str = ""
    verdict: Verdict | None = None
    most_moved: tuple[MovedSample, ...] = ()
    notes: tuple[str, ...] = ()
    command: str = ""
    seal: str = ""

    @model_validator(mode="after")
    def _fits_together(self) -> RegressionComparison:
        """Refuse what no comparison can say, so that a report can rely on the rest."""
        names, limits = [output.name for output in self.per_output], self.tolerance
        within = {limits is not None, self.flips is not None, "within_tolerance" in self.metrics}
        if self.n < 1 or not names or len(set(names)) != len(names):
            raise ValueError("it needs samples, and outputs with different names")
        if not {"mse", "mae"} <= set(self.metrics) or any(m.delta is None for m in self.metrics.values()):
            raise ValueError("metrics must hold mse and mae on both sides")
        if len(within) > 1 or (limits is not None and len(limits) != len(names)):
            raise ValueError("tolerance, flips and within_tolerance come together, with one tolerance an output")
        if any({len(s.mse), len(s.mse_change), len(s.moved)} != {len(names)} for s in self.stages):
            raise ValueError("each stage needs one figure an output")
        return self


class OutputScore(Record):
    """One output of one table."""

    name: str
    mse: Estimate
    mae: Estimate
    bias: Estimate
    r2: Estimate
    max_abs: Estimate


class RegressionScore(Record):
    """Every measure of one regression table."""

    schema_: Literal["edgeval/score/1"] = Field(default="edgeval/score/1", alias="schema")
    task: Literal["regression"] = "regression"
    source: Source
    n: int
    mse: Estimate
    mae: Estimate
    per_output: tuple[OutputScore, ...]
    within_tolerance: Estimate | None = None
    tolerance: tuple[float, ...] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RegressionEvidence:
    """A comparison with the samples behind it, for a judge.

    errors_reference, errors_candidate: (N, K) answer minus target in the order of the reference's table, with its ids;
    within_reference, within_candidate: (N,) bool, None without a tolerance; differences: `mse`, `mae` (candidate -
    reference) and `mse_ratio` (candidate / reference, the interval is on the ratio's own scale), for all outputs
    together and, as `NAME/mse_ratio`, `NAME/mse` ..., for each; one that cannot be had is missing.
    """

    comparison: RegressionComparison
    errors_reference: NDArray[np.float64]
    errors_candidate: NDArray[np.float64]
    ids: tuple[str, ...]
    within_reference: NDArray[np.bool_] | None = None
    within_candidate: NDArray[np.bool_] | None = None
    differences: Mapping[str, Resampled] = field(default_factory=dict)

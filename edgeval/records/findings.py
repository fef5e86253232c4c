"""Findings: everything a comparison says, in the order and under the names of its JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeval.records.cards import Record
from edgeval.records.predictions import Latency, Source

Interval = tuple[float, float]
METRICS = ("top1", "top5", "ece", "gini", "bottom5", "bottom10", "bottom20", "nll", "brier")


class Estimate(Record):
    """A number with its two-sided 95% interval."""

    value: float | None
    ci95: Interval | None = None
    method: str = ""


class ClassScore(Record):
    """One class of one table."""

    index: int
    name: str
    n: int
    value: float | None
    ci95: Interval | None = None


class Score(Record):
    """Every measure of one table of predictions."""

    schema_: Literal["edgeval/score/1"] = Field(default="edgeval/score/1", alias="schema")
    source: Source
    n: int
    top1: Estimate
    top5: Estimate
    per_class: tuple[ClassScore, ...]
    gini: Estimate
    bottom5: Estimate
    bottom10: Estimate
    bottom20: Estimate
    ece: Estimate
    ece_equal_mass: Estimate
    nll: Estimate
    brier: Estimate
    clipped: int = 0
    ties: int = 0
    notes: tuple[str, ...] = ()


class Delta(Record):
    """One measure on both sides; delta = candidate - reference, with the interval of the delta."""

    reference: float | None
    candidate: float | None
    delta: float | None
    ci95: Interval | None = None
    method: str = ""


class ClassDelta(Record):
    """One class on both sides; q is the Benjamini-Hochberg adjusted McNemar p-value."""

    index: int
    name: str
    n: int
    reference: float | None
    candidate: float | None
    delta: float | None
    q: float | None = None


class Overlap(Record):
    """The two error sets."""

    errors_reference: int
    errors_candidate: int
    jaccard: float | None
    jaccard_max: float | None
    jaccard_independent: float | None
    ci95: Interval | None = None


class Flips(Record):
    """Paired correctness: lost = right before and wrong now, gained = wrong before and right now."""

    both_right: int
    lost: int
    gained: int
    both_wrong: int
    lost_ids: tuple[str, ...]
    gained_ids: tuple[str, ...]


class Mcnemar(Record):
    """Test of lost = gained."""

    p: float
    method: str


class Stage(Record):
    """One step of the chain; top1 and ece are those after the step, jaccard that of the error sets across it."""

    name: Literal["size", "export", "quantisation", "device"]
    from_: str = Field(alias="from")
    to: str
    top1: float
    ece: float | None
    lost: int
    gained: int
    net: int
    jaccard: float | None
    charged_lost: int
    charged_gained: int


class Bin(Record):
    """One bin (lo, hi] of a reliability diagram."""

    lo: float
    hi: float
    n: int
    confidence: float | None
    accuracy: float | None


class Reliability(Record):
    """The bins of both sides."""

    reference: tuple[Bin, ...] = ()
    candidate: tuple[Bin, ...] = ()


class Answer(Record):
    """What one side said of one sample."""

    class_name: str
    confidence: float | None


class Flip(Record):
    """One flipped sample for the gallery; stage is the step that it is charged to."""

    id: str
    label: str
    kind: Literal["lost", "gained"]
    stage: str
    reference: Answer
    candidate: Answer


class Counts(Record):
    """A number of samples on each side."""

    reference: int
    candidate: int


class Comparison(Record):
    """A candidate against a reference on the same samples."""

    schema_: Literal["edgeval/compare/1"] = Field(default="edgeval/compare/1", alias="schema")
    reference: Source
    candidate: Source
    target: Source
    n: int
    metrics: dict[str, Delta]
    per_class: tuple[ClassDelta, ...]
    overlap: Overlap
    flips: Flips
    mcnemar: Mcnemar
    latency_ms: Latency | None = None
    stages: tuple[Stage, ...] = ()
    cancelled: int = 0
    kernel_floor: None = None
    expected: None = None
    verdict: None = None
    smallest_drop: float | None = None
    ties: Counts | None = None
    clipped: Counts | None = None
    reliability: Reliability = Reliability()
    flipped: tuple[Flip, ...] = ()
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    command: str = ""

"""Findings: everything a comparison says, in the order and under the names of its JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeval.records.cards import Record
from edgeval.records.predictions import Latency, Source
from edgeval.records.verdict import Verdict

Interval = tuple[float, float]
METRICS = ("top1", "top5", "ece", "ece_equal_mass", "gini", "bottom5", "bottom10", "bottom20", "nll", "brier")


class Estimate(Record):
    """A number with its two-sided 95% interval; bias as estimated by resampling, which the interval takes out."""

    value: float | None
    ci95: Interval | None = None
    method: str = ""
    bias: float | None = None

    @property
    def approximate(self) -> bool:
        """Whether the interval may not decide anything; its method says why."""
        return "approximate" in self.method


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
    """One measure on both sides; delta = candidate - reference, with interval and estimated bias of the delta."""

    reference: float | None
    candidate: float | None
    delta: float | None
    ci95: Interval | None = None
    method: str = ""
    bias: float | None = None


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
    """Test of lost = gained; `mid_p` is the less conservative form of the same test."""

    p: float
    method: str
    mid_p: float | None = None


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


class ConfusionChange(Record):
    """Samples of one class answered as another one, on both sides."""

    label: str
    answer: str
    reference: int
    candidate: int


class Counts(Record):
    """A number of samples on each side."""

    reference: int
    candidate: int


class WorstClass(Record):
    """The class that lost most beyond chance; p is that of the worst of all classes under a sign-flip null."""

    index: int
    name: str
    n: int
    lost: int
    gained: int
    delta: float
    p: float
    method: str


class AnswerShare(Record):
    """How often a class is answered, right or wrong; q is Benjamini-Hochberg adjusted over all classes."""

    index: int
    name: str
    reference: float
    candidate: float
    delta: float
    q: float
    collapsed: bool = False


class Recalibration(Record):
    """What would make the candidate's confidences mean what they say again.

    temperature: the divisor of its logits with the lowest NLL on these samples, and ECE and NLL with it.
    threshold: accepts the same share of samples as the reference's `threshold_reference` does; accuracies are those
    of the accepted samples on each side, `accuracy_unchanged` that of the candidate at the reference's own threshold.
    """

    temperature: float | None = None
    temperature_reference: float | None = None
    ece: float | None = None
    nll: float | None = None
    threshold_reference: float | None = None
    threshold: float | None = None
    accepted: float | None = None
    accepted_unchanged: float | None = None
    accuracy_reference: float | None = None
    accuracy: float | None = None
    accuracy_unchanged: float | None = None


class FloorPair(Record):
    """Two kernel families, or two trainings: the same samples, and how many answers differ."""

    one: str
    other: str
    n: int
    changed: int
    lost: int
    gained: int
    jaccard: float | None


class Floor(Record):
    """How far answers move without any real difference: between kernel families, or between trainings by seed.

    flips is the largest lost + gained of any pair, share the same as a fraction of n. Never part of a margin.
    """

    n: int
    pairs: tuple[FloorPair, ...]
    flips: int
    share: float
    jaccard: float | None
    seconds: float | None = None
    note: str = ""


class Expectation(Record):
    """What float training at this size leads one to expect; lo and hi are its band."""

    value: float
    lo: float
    hi: float
    method: str


class Comparison(Record):
    """A candidate against a reference on the same samples. seal: a hash of the rest, once it is written."""

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
    kernel_floor: Floor | None = None
    retraining_floor: Floor | None = None
    expected: dict[str, Expectation] | None = None
    expected_reason: str = ""
    verdict: Verdict | None = None
    worst_class: WorstClass | None = None
    answer_shares: tuple[AnswerShare, ...] = ()
    confusions: tuple[ConfusionChange, ...] = ()
    recalibration: Recalibration | None = None
    smallest_drop: float | None = None
    ties: Counts | None = None
    clipped: Counts | None = None
    reliability: Reliability = Reliability()
    flipped: tuple[Flip, ...] = ()
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    command: str = ""
    seal: str = ""

"""What a study finds: figures of each size over its seeds, error sets in common, winners and losers, claims."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeval.records.cards import Record
from edgeval.records.deployed import Deployed
from edgeval.records.laws import Law
from edgeval.records.target import Origin

Standing = Literal[
    "confirmed", "not confirmed", "different protocol", "not measured", "follows", "does not follow", "as published"
]


class Spread(Record):
    """A mean over seeds (or pairs of them) and its standard deviation, ddof 0 as in published tables."""

    mean: float
    sd: float
    n: int


class SizeRow(Record):
    """One rung in one format on one target.

    gini and bottom5/10/20 are of the class accuracies averaged over the seeds; gini_single and bottom5_single are the
    means of what each checkpoint gives by itself (PAPERS 1.5: the two must not be compared with one another).
    """

    ladder: str
    rung: str
    params: int
    format: str
    target: str
    origin: Origin
    protocol: str
    seeds: tuple[int, ...]
    top1: Spread
    ece: Spread
    gini: float
    bottom5: float
    bottom10: float
    bottom20: float
    gini_single: Spread | None = None
    bottom5_single: Spread | None = None
    top5: Spread | None = None
    nll: Spread | None = None
    brier: Spread | None = None
    temperature: Spread | None = None
    ece_before: Spread | None = None
    ece_after: Spread | None = None


class PairRow(Record):
    """Error sets of two rungs over all pairs of their seeds; `one` is the smaller.

    The same rung twice is the re-training floor: pairs of different seeds only. lost: share of the samples that the
    larger has right and the smaller wrong; gained the reverse; kept: share of the larger's errors that the smaller
    makes too.
    """

    one: str
    other: str
    kind: Literal["re-training", "within", "across"]
    jaccard: Spread
    jaccard_max: float
    jaccard_independent: float
    lost: Spread
    gained: Spread
    kept: float


class FlipsRow(Record):
    """Which answers deployment changed, right or wrong, on one rung; means over seeds.

    unsure: share of them among the half of the samples that torch was least sure of; confidence_*: torch's mean
    confidence in the answers that changed and in those that stayed; top_share: share of them in the ten classes that
    were hit most, and top_share_chance the same where the images that flip have random classes.
    """

    ladder: str
    rung: str
    params: int
    format: str
    target: str
    changed: Spread
    unsure: float | None
    confidence_changed: float | None
    confidence_same: float | None
    top_classes: tuple[str, ...]
    top_share: float | None
    top_share_chance: float | None


class ClassRow(Record):
    """How one class fares between the smallest and the largest rung, averaged over seeds."""

    ladder: str
    name: str
    small: float
    large: float
    delta: float
    sd: float | None = None


class Claim(Record):
    """A statement of the paper, what it rests on there, what we found, and how the two stand to one another.

    fitted: whether it rests on a fit to the figures and not on a figure itself. The last three standings are for the
    paper's own figures: a fit to them gives the statement or does not, and a figure cannot confirm itself.
    """

    number: int
    text: str
    paper: str
    ours: str
    standing: Standing
    fitted: bool = False
    note: str = ""


class Study(Record):
    """A whole study."""

    schema_: Literal["edgeval/study/1"] = Field(default="edgeval/study/1", alias="schema")
    name: str
    protocols: tuple[str, ...]
    n: int
    rows: tuple[SizeRow, ...]
    laws: tuple[Law, ...]
    pairs: tuple[PairRow, ...]
    deployed: tuple[Deployed, ...]
    flips: tuple[FlipsRow, ...]
    classes: tuple[ClassRow, ...]
    claims: tuple[Claim, ...]
    notes: tuple[str, ...] = ()

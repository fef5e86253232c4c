"""What `edgeval operators` finds: how an exported rung answers with this or that kind of operator in int8."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeval.records.cards import Record
from edgeval.records.findings import Estimate
from edgeval.records.predictions import Latency

Measure = Literal["mse_ratio", "top1_drop"]


class Tried(Record):
    """One file and how it answers beside the float file, on the same images.

    score: mean squared error over all outputs, or share of wrong classes. damage: its score over the float file's
    (mse_ratio), or its score less the float file's (top1_drop), paired. moved: root mean square of what the answers
    moved, or the share of images with another class. within: the interval of the damage ends inside the allowance.
    """

    name: str
    file: str
    sha256: str
    size_bytes: int
    latency_ms: Latency | None = None
    delegate: str | None = None
    delegated: int | None = None
    score: float
    damage: Estimate
    moved: float
    within: bool


class KindCost(Record):
    """One kind of operator: alone in int8, and alone left in float.

    cost: the score of full int8 over that of `all_but` (mse_ratio), or less it (top1_drop), paired. share: of the full
    int8 file's damage; null where that is no more than chance. extra_bytes: by which `all_but` is larger.
    """

    kind: str
    operators: int
    only: Tried
    all_but: Tried
    cost: Estimate
    share: float | None
    extra_bytes: int


class OperatorReport(Record):
    """All files that were tried on one rung, and the one to take."""

    schema_: Literal["edgeval/operators/1"] = Field(default="edgeval/operators/1", alias="schema")
    ladder: str
    rung: str
    seed: int
    n: int
    measure: Measure
    allowance: float
    calibration_images: int
    whole: tuple[Tried, ...]
    kinds: tuple[KindCost, ...]
    recommended: str
    sentence: str
    folder: str
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)

    def tried(self, name: str) -> Tried:
        """The file of this name."""
        files = (*self.whole, *(one for kind in self.kinds for one in (kind.only, kind.all_but)))
        return next(one for one in files if one.name == name)

"""A verdict: whether to ship, by which rules, on which figures."""

from __future__ import annotations

from typing import Literal

from edgeval.records.cards import Record

Status = Literal["PASS", "FAIL", "INCONCLUSIVE", "NO_VERDICT"]
Limit = Literal["max_drop", "max_increase", "max", "min"]


class ClassResult(Record):
    """One named class under a rule."""

    name: str
    n: int
    value: float | None
    bound: float | None
    status: Status
    p: float | None = None


class RuleResult(Record):
    """One rule of the gate.

    margin: as typed, a fraction for shares; value and bound: the change (candidate - reference) and the bad end of its
    one-sided interval, or the figure itself under an absolute limit; good: the other end. confidence is what this look
    was judged at. `more_images`: about how many more would decide it. output: the one it is about; empty for all.
    """

    metric: str
    margin: float
    value: float | None
    bound: float | None
    confidence: float
    status: Status
    more_images: int | None = None
    limit: Limit = "max_drop"
    good: float | None = None
    text: str = ""
    why: str = ""
    method: str = ""
    pass_chance: float | None = None
    classes: tuple[ClassResult, ...] = ()
    output: str = ""


class Sequential(Record):
    """A run that stopped as soon as the verdict on all images was certain."""

    used: int
    total: int
    confidence: float
    certain: bool


class Verdict(Record):
    """Whether to ship, by the rules of edgeval.toml. `look` counts the looks at these data, this one included."""

    status: Status
    exit_code: int
    look: int
    reasons: tuple[str, ...]
    rules: tuple[RuleResult, ...]
    sequential: Sequential | None = None

"""Looks at the data: how often one candidate was judged on these samples, and what each look spent of the level."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeval.records.cards import Record
from edgeval.records.verdict import Status

UNPLANNED = 0.1  # share of the level for the first look that was not planned; each further one gets half of the last


class LookRecord(Record):
    """One look: how many samples, their fingerprint, the share of the level spent, and what came out."""

    number: int
    n: int
    fingerprint: str
    spends: float
    planned: bool
    status: Status
    time: str


class LookLedger(Record):
    """All looks at the same data by the same pair of models, oldest first."""

    schema_: Literal["edgeval/looks/1"] = Field(default="edgeval/looks/1", alias="schema")
    reference: str
    candidate: str
    target: str
    looks: tuple[LookRecord, ...] = ()

    def next_share(self, planned: int) -> tuple[float, bool]:
        """The share of each rule's level that the next look may spend, and whether the plan has room for it.

        Bonferroni over the planned looks, as long as what was spent leaves room; after that a tenth of the level, then
        half of the last each time, so that all unplanned looks together add at most a fifth of the level.
        """
        if sum(look.spends for look in self.looks) + 1 / planned <= 1 + 1e-9:
            return 1 / planned, True
        return UNPLANNED / 2 ** sum(not look.planned for look in self.looks), False

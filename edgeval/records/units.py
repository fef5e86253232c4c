"""The physical units that scaled outputs stand for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from edgeval.records.cards import Record

Bound = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]


class Unit(Record):
    """What one output was scaled from: a value is low + output * span, in the unit `name`."""

    name: str
    low: Bound
    high: Bound

    @model_validator(mode="after")
    def _rises(self) -> Unit:
        if self.low > self.high:
            raise ValueError("low must not lie above high")
        return self

    @property
    def span(self) -> float:
        """The length of the range; 1 for a value that was held, which is scaled by nothing."""
        return self.high - self.low or 1.0

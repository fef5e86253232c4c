"""How a regressor is trained, and what came of it: a fixed number of updates, whatever the training set's size."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from edgeval.records.cards import Record


class Fit(Record):
    """The `[regression]` table of a ladder card; the defaults follow PAPERS 2.2 where the paper says nothing.

    images: sizes of the training set, each a set of rungs of its own; rates: learning rates that are tried for each
    rung, with `search_updates` updates (default: a quarter of all) and the first seed; checks: how often the
    validation part is looked at. `plateau` halves the rate after `patience` checks without a better one.
    freeze_norms: share of the updates after which batch norms keep their statistics, which batches otherwise move.
    """

    protocol: str = Field(default="regression", min_length=1)
    images: tuple[Annotated[int, Field(ge=2)], ...] = Field(default=(4000,), min_length=1)
    updates: int = Field(default=4000, ge=1, le=100_000_000)
    batch: int = Field(default=64, ge=2, le=65_536)
    rates: tuple[Annotated[float, Field(gt=0)], ...] = Field(default=(3e-4, 1e-3, 3e-3), min_length=1)
    search_updates: int | None = Field(default=None, ge=1)
    weight_decay: float = Field(default=0.01, ge=0)
    schedule: Literal["plateau", "cosine"] = "plateau"
    patience: int = Field(default=3, ge=1)
    checks: int = Field(default=40, ge=1)
    freeze_norms: float = Field(default=1.0, gt=0, le=1)
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**63)], ...] = Field(default=(0,), min_length=1)

    @model_validator(mode="after")
    def _sound(self) -> Fit:
        if list(self.images) != sorted(set(self.images)):
            seen = ", ".join(str(count) for count in self.images)
            raise ValueError(f"images must rise from small to large, each once (seen: {seen})")
        return self

    def identity(self) -> dict[str, object]:
        """What decides the weights beside rate, images and seed; later defaults are not said, so that hashes stay."""
        without = {"protocol", "seeds", "images", "rates", "search_updates"}
        return self.model_dump(exclude=without | ({"freeze_norms"} if self.freeze_norms == 1 else set()))

    @property
    def searched(self) -> int:
        """Updates of each run that only picks the rate."""
        return self.search_updates or max(1, self.updates // 4)


class Found(Record):
    """Mean squared errors on the validation part that each rate ended with, and the rate that was best."""

    rate: float
    tried: dict[str, float]
    mark: str


class Fitted(Record):
    """How the regressor of a checkpoint came about; its weights are those of the best validation.

    validation_mse: of these weights, one an output.
    """

    recipe: Fit
    images: int
    rate: float
    tried: dict[str, float]
    best_update: int
    validation_mse: tuple[float, ...]

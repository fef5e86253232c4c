"""A checkpoint: the trained weights of one rung and seed, and the card that says how they came about."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeval.records.artifact import Preprocess
from edgeval.records.cards import Record
from edgeval.records.fit import Fitted
from edgeval.records.ladder import Recipe


class CheckpointCard(Record):
    """What stands beside the weights; class_names: of a regressor, the names of its outputs."""

    schema_: Literal["edgeval/checkpoint/1"] = Field(default="edgeval/checkpoint/1", alias="schema")
    ladder: str
    rung: str
    width: float
    seed: int
    params: int
    recipe: Recipe | None
    fit: Fitted | None = None
    task: str
    data_sha256: str
    preprocess: Preprocess
    class_names: tuple[str, ...]
    input_shape: tuple[int, int, int]
    final_loss: float | None
    device: str
    versions: dict[str, str]
    mark: str = ""
    sha256: str

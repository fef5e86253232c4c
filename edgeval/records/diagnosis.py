"""What `edgeval diagnose` finds: suspects with their accuracies, and the one that fits."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeval.records.cards import Record


class Suspect(Record):
    """One way to make inputs and read answers, its accuracy on the sample, and what to type or change for it.

    ci95: Wilson; flags and toml: the same preprocessing twice; also: what must be changed in the data.
    """

    name: str
    accuracy: float
    ci95: tuple[float, float]
    flags: str
    toml: str
    also: str = ""


class Diagnosis(Record):
    """All suspects, best first. fits: the one that reaches the expectation, None where none does."""

    schema_: Literal["edgeval/diagnosis/1"] = Field(default="edgeval/diagnosis/1", alias="schema")
    model: str
    n: int
    images_run: int
    expected: float
    fits: Suspect | None
    default: Suspect
    suspects: tuple[Suspect, ...]
    statements: tuple[str, ...]
    sentence: str

"""What `edgeval scaling` gives: the law as trained, and the laws as deployed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeval.records.deployed import Deployed
from edgeval.records.laws import Law


class Scaling(Law):
    """The law over the float checkpoints, and one law a format and target."""

    schema_: Literal["edgeval/scaling/1"] = Field(default="edgeval/scaling/1", alias="schema")
    deployed: tuple[Deployed, ...] = ()
    command: str = ""

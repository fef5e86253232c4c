"""Whether the board that answered is the one that its card describes; what is said where it is not."""

from __future__ import annotations

from typing import Any

from edgeval.records.predictions import Source
from edgeval.records.reporter import Reporter
from edgeval.records.target import Target
from edgeval.run.check.board import unlike


def described(facts: dict[str, Any], target: Target, reporter: Reporter) -> dict[str, Any]:
    """The facts of a board, told where they are not what [expect] of its card says."""
    found = [f"{seen}, the card expects {wanted}" for _, seen, wanted in unlike(facts, target.expect)]
    if not found:
        return facts
    reporter.say(
        f"{target.name} is not the board of its card ({'; '.join(found)}): the gate gives no verdict;"
        f" edgeval devices check {target.typed} says what to do"
    )
    return {**facts, "unexpected": found}


def with_doubts(runtime: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """The account of a run, kept or new, with what is unexpected of the board today."""
    rest = {name: value for name, value in runtime.items() if name != "unexpected"}
    return rest | ({"unexpected": facts["unexpected"]} if facts.get("unexpected") else {})


def board_notes(source: Source) -> tuple[str, ...]:
    """What a reader must know of answers from a board that its card does not describe."""
    said = "; ".join((source.runtime or {}).get("unexpected") or ())
    return (f"not the board that the card describes: {said}",) if said else ()

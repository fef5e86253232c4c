"""The card's delegate, tried before anything is sent; or, where the card allows that, the CPU in its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeval.errors import BenchError, CardError
from edgeval.records.predictions import Source
from edgeval.records.target import Target
from edgeval.run.delegates import try_delegate
from edgeval.run.host import Host
from edgeval.run.probe import pick_engine

CPU_FALLBACK = "cpu fallback"


@dataclass(frozen=True)
class Accelerator:
    """The delegate of an open target: what it said of itself, or in `lacking` why the CPU took its place."""

    library: str
    known: dict[str, Any] = field(default_factory=dict)
    lacking: str = ""

    @property
    def identity(self) -> list[Any]:
        """What of it may change answers."""
        return [self.library, self.known.get("delegate_version"), bool(self.lacking)]

    def runtime(self, found: dict[str, Any]) -> dict[str, Any]:
        """The account of a run, which says that the delegate was asked for where the CPU took its place."""
        if not self.lacking:
            return found
        return {**found, "requested_delegate": self.library, "delegated": 0, "unproven": [self.lacking]}


def accelerator_notes(source: Source) -> tuple[str, ...]:
    """What a reader must know of numbers that an accelerator made, or should have made."""
    runtime = source.runtime or {}
    notes = [runtime["compiled"]] if runtime.get("compiled") else []
    doubts = "; ".join(runtime.get("unproven") or ())
    if source.target == CPU_FALLBACK:
        asked = runtime["requested_delegate"]
        notes.append(f"{CPU_FALLBACK}: these are the CPU's answers, {asked} did not run ({doubts})")
    elif doubts:
        notes.append(f"not proven to have run on the accelerator: {doubts}")
    return tuple(notes)


def accelerate(target: Target, host: Host, facts: dict[str, Any]) -> tuple[Target, Accelerator | None]:
    """The target with its delegate tried, or without it where it does not load and on_missing is "cpu".

    Raises RuntimeMissing or UnreachableError with the one reason why it does not load.
    """
    wanted = target.runtime.delegate
    if wanted is None:
        if target.kind == "edgetpu":
            hint = 'add [runtime.delegate] with library = "libedgetpu.so.1"'
            raise CardError("a card of an Edge TPU names its library", seen=target.path, hint=hint)
        return target, None
    engine = pick_engine(facts, target, Path("model.tflite"))
    try:
        return target, Accelerator(wanted.library, try_delegate(host, target, engine))
    except BenchError as error:
        if target.runtime.on_missing != "cpu":
            raise
        runtime = target.runtime.model_copy(update={"delegate": None})
        said = error.what + (f" ({error.seen})" if error.seen else "")
        return target.changed(runtime=runtime, compile=None), Accelerator(wanted.library, lacking=said)

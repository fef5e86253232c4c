"""What is known of where the numbers come from, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from edgeval.records.artifact import Preprocess
from edgeval.records.findings import Comparison
from edgeval.records.predictions import Source
from edgeval.records.target import Recorded
from edgeval.report import wording

FACTS: dict[str, Callable[[Source], Any]] = {
    "model": lambda s: s.name,
    "format": lambda s: s.format,
    "origin": lambda s: f"{s.origin}: {wording.ORIGINS[s.origin]}",
    "fidelity": lambda s: s.fidelity,
    "recording": lambda s: None if s.recording is None else _recording(s.recording),
    "target": lambda s: s.target,
    "model file, sha256": lambda s: s.sha256,
    "parameters": lambda s: None if s.params is None else wording.count(s.params),
    "file size": lambda s: None if s.size_bytes is None else wording.size(s.size_bytes),
    "data, sha256": lambda s: s.data_sha256,
    "preprocessing": lambda s: None if s.preprocess is None else _formula(s.preprocess),
    "latency": lambda s: None if s.latency is None else wording.latency(s.latency),
    "peak memory": lambda s: None if s.peak_memory_mb is None else f"{s.peak_memory_mb:,.1f} MB",
    "tensor arena": lambda s: None if s.arena is None else wording.arena(s.arena),
    "notes": lambda s: "; ".join(s.notes),
}


def sides(row: Comparison) -> list[tuple[str, Source]]:
    """The columns: the target has its own only where it is not simply the candidate."""
    named = [("reference", row.reference), ("candidate", row.candidate)]
    return named if row.target == row.candidate else [*named, ("target", row.target)]


def facts(row: Comparison) -> list[tuple[str, list[str]]]:
    """(fact, one value a column); what no column knows is left out."""
    return facts_of([source for _, source in sides(row)])


def facts_of(sources: Sequence[Source]) -> list[tuple[str, list[str]]]:
    """(fact, one value a source); what no source knows is left out."""
    lines = [(name, [read(source) for source in sources]) for name, read in FACTS.items()]
    for group in ("runtime", "host"):
        tables = [getattr(source, group) or {} for source in sources]
        keys = dict.fromkeys(key for table in tables for key in table)
        lines += [(f"{group}: {key}".replace("_", " "), [table.get(key) for table in tables]) for key in keys]
    return [(name, [_shown(v) for v in values]) for name, values in lines if any(_known(v) for v in values)]


def _formula(step: Preprocess) -> str:
    """The formula with its numbers."""
    return f"(pixel × {step.scale:.6g} − {_numbers(step.mean)}) / {_numbers(step.std)}"


def _recording(made: Recorded) -> str:
    """What was recorded, when, and the file's hash."""
    return f"{made.target} ({made.origin}), {made.when}, sha256 {made.sha256}"


def _numbers(values: tuple[float, ...]) -> str:
    shown = ", ".join(f"{value:g}" for value in values)
    return shown if len(values) == 1 else f"[{shown}]"


def _known(value: Any) -> bool:
    return value is not None and value not in ("", [], {}, ())


def _shown(value: Any) -> str:
    return wording.flat(value) if _known(value) else "not recorded"

"""Runs a compiler on a host, without a shell: a model goes there, its report and its file come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeval.run.ask import ask
from edgeval.run.host import Host
from edgeval.run.intake import read_report


@dataclass(frozen=True)
class Compiled:
    """What a compiler did: its exit status, what it printed, and the bytes of its file (empty if it wrote none)."""

    status: int
    text: str
    data: bytes


def run_tool(host: Host, argv: Sequence[str], model: Path, *, output: str, timeout_s: float) -> Compiled:
    """Run `argv` there, in a private folder; {model} and {folder} are filled in. `output` is the file that it leaves.

    Raises RuntimeMissing where the program is missing, BenchError where it does not end.
    """
    order = {
        "argv": list(argv),
        "model": host.put(model, "model" + model.suffix),
        "name": model.name,
        "output": output,
        "timeout_s": timeout_s,
    }
    header, data = ask(host, ("tool", order), "tool", argv[0])
    return Compiled(*read_report(header), data)

"""All findings on a board, in the order in which a person would mend them."""

from __future__ import annotations

from edgeval.records.target import Target
from edgeval.run.check import accelerator, board, python
from edgeval.run.check.finding import Finding, Survey


def findings(survey: Survey, target: Target, now: float) -> list[Finding]:
    """What is fine and what is missing; `now` is the time at this computer in seconds since 1970."""
    runtime = python.runtime(survey, target)
    incomplete = any(item.state == "missing" for item in runtime)
    return [
        *board.expected(survey, target),
        *python.python(survey, target),
        *board.place(survey, target, incomplete),
        *board.clock(survey, target, now),
        *_network(survey, incomplete),
        *runtime,
        *accelerator.accelerator(survey, target),
        *board.memory(survey, target),
        *board.health(survey, target),
    ]


def asked_paths(target: Target) -> list[str]:
    """Device nodes and libraries that the card names."""
    delegate = target.runtime.delegate
    return [*target.expect.device_nodes, *([delegate.library] if delegate else [])]


def _network(survey: Survey, incomplete: bool) -> list[Finding]:
    """Worth a line only where something has to be installed."""
    if survey["network"] is not False:
        return []
    what = "reaches no package server" + ("; what is missing is fetched here and copied" if incomplete else "")
    return [Finding("network", "note", what)]

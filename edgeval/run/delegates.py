"""External delegates as the host asks for them: what the agent is told, and a first try before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeval.records.target import Target
from edgeval.run.ask import ask
from edgeval.run.host import Host
from edgeval.run.intake import read_delegate

TRY_S = 60.0


def delegate_words(target: Target, known: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """What the agent must know of the card's delegate; None without one.

    known: `min_runtime`, which the compiled model asks for, and the `name` that the library gave itself.
    """
    wanted = target.runtime.delegate
    if wanted is None:
        return None
    return {
        "library": wanted.library,
        "options": wanted.options,
        "known_crash": wanted.known_crash,
        "edgetpu": target.kind == "edgetpu",
        "on_missing": target.runtime.on_missing,
        **(known or {}),
    }


def try_delegate(host: Host, target: Target, engine: tuple[str, str]) -> dict[str, Any]:
    """Load the card's delegate on the host, without a model; what is known of it.

    Raises RuntimeMissing or UnreachableError with the one reason why it does not load, BenchError if it crashes.
    """
    order: dict[str, Any] = {
        "tryout": True,
        "delegate": delegate_words(target),
        "engine": engine[0],
        "version": engine[1],
        "ranges": [],
        "chunk": 1,
        "workers": 1,
        "latency": True,
        "threads": 1,
        "sample_timeout_s": max(TRY_S, target.limits.sample_timeout_s),
        "run_timeout_s": None,
    }
    known, _ = ask(host, ("run", order), "delegate", target.name)
    return read_delegate(known)

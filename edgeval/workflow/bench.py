"""Open a target: the host behind its card, what that says of itself, and how its numbers are marked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from edgeval.errors import BenchError, InputError, UnreachableError
from edgeval.records.target import Origin, Target, load_target
from edgeval.run.host import Host, LocalHost
from edgeval.run.infer import probe

ORIGINS: dict[str, Origin] = {"local": "desktop", "ssh": "device", "emulated": "emulated", "replay": "replayed"}


@dataclass(frozen=True)
class Bench:
    """An open target: its card, the host behind it, what the host says of itself, and how its numbers are marked."""

    target: Target
    host: Host
    facts: dict[str, Any]
    name: str
    origin: Origin = "desktop"
    fidelity: str | None = None


@contextmanager
def open_bench(name: str, *, emulate: bool = False) -> Iterator[Bench]:
    """The target called `name`, or with `emulate` its card's stand-in on this computer.

    Raises UnreachableError (exit 4) where the device cannot be reached: never another machine in its place.
    """
    target = load_target(name)
    origin, fidelity = ORIGINS[target.transport.type], None
    if emulate:
        target, fidelity = stand_in(target)
        origin = "emulated"
    elif target.kind not in ("cpu", "gpu"):
        raise BenchError(f"this version cannot run on {target.kind} targets yet", seen=target.name)
    with open_host(target) as host:
        yield Bench(target, host, probe(host), target.name, origin, fidelity)


def open_host(target: Target) -> AbstractContextManager[Host]:
    """The host that the card's [transport] leads to. Raises UnreachableError."""
    if target.transport.type == "local":
        return LocalHost()
    hint = f"add --emulate for its stand-in on this computer (edgeval devices show {target.name})"
    raise UnreachableError(
        f"{target.name} is reached over {target.transport.type}, which this version cannot do yet",
        seen=target.transport.host,
        hint=hint if target.emulate else "",
    )


def stand_in(target: Target) -> tuple[Target, str]:
    """The card that stands in for a device on this computer, with the device's own kernels; and how faithful it is."""
    if target.emulate is None:
        raise InputError(
            f"{target.name} has no stand-in on this computer", seen="--emulate", hint="leave --emulate away"
        )
    local = load_target(target.emulate.card)
    if local.transport.type != "local":
        raise InputError("a stand-in must be a local card", seen=local.name, hint=f"mend [emulate] in {target.path}")
    runtime = local.runtime.model_copy(update={"kernels": target.runtime.kernels, "threads": target.runtime.threads})
    note = f": {target.emulate.note}" if target.emulate.note else ""
    return target.changed(transport=local.transport, runtime=runtime), f"{target.emulate.fidelity}{note}"

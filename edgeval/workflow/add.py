"""Add a device: look at its host key, see that it answers, and write its card."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeval.errors import InputError, IntegrityError, UnreachableError
from edgeval.records.cards import available
from edgeval.records.reporter import Reporter
from edgeval.records.target import Target, Transport, load_target
from edgeval.records.toml import as_toml
from edgeval.run.probe import TFLITE_ENGINES, probe
from edgeval.run.ssh import SshHost
from edgeval.run.ssh.hostkeys import HostKey, is_known, remember, shown

Confirm = Callable[[HostKey], bool]


@dataclass(frozen=True)
class Added:
    """A device that answered: its card's file and what it says of itself."""

    card: Path
    facts: dict[str, Any]


def add_device(name: str, transport: Transport, confirm: Confirm, reporter: Reporter, fingerprint: str | None) -> Added:
    """Accept the host key if `confirm` says so or it has this fingerprint, connect, and write devices/NAME.toml."""
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise InputError("a device needs a plain name", seen=name, hint="choose one with --name")
    place = Path("devices") / f"{name}.toml"
    there = place.exists()
    if there and load_target(str(place)).transport.host != transport.host:
        raise InputError(f"{place} is there already", seen=name, hint="choose another --name, or remove the card")
    target = Target.model_validate({"schema": "edgeval/device/1", "name": name, "transport": transport})
    _settle_key(target, confirm, reporter, fingerprint)
    with SshHost(target, reporter) as host:
        facts = probe(host)
    if there:
        reporter.say(f"{place} is there already and stays as it is")
        return Added(place, facts)
    if name in available("devices"):
        reporter.say(f"the new card hides the one of the same name in {available('devices')[name].parent}")
    place.parent.mkdir(exist_ok=True)
    with place.open("x", encoding="utf-8") as file:
        file.write(card_text(target, facts))
    return Added(place, facts)


def _settle_key(target: Target, confirm: Confirm, reporter: Reporter, fingerprint: str | None) -> None:
    """Raise unless the device's key is known, or is accepted and written down now."""
    known = is_known(target)
    if known and fingerprint is None:
        reporter.say(f"the host key of {target.transport.host} is known already")
        return
    key = shown(target, fingerprint)
    if fingerprint is not None and key.fingerprint != fingerprint:
        hint = "compare both with what the device says: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
        seen = f"{key.kind} {key.fingerprint}"
        raise IntegrityError("the device shows another key than --fingerprint: not connected", seen=seen, hint=hint)
    if known:
        return
    if fingerprint is None and not confirm(key):
        raise UnreachableError(
            "the host key was not accepted: not connected",
            seen=key.fingerprint,
            hint="compare it with what the device says: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        )
    reporter.say(f"{key.kind} key {key.fingerprint} written to {remember(target, key)}")


def card_text(target: Target, facts: dict[str, Any]) -> str:
    """A card for a device that says this of itself."""
    what = facts.get("board") or facts.get("cpu") or facts.get("machine") or "a device"
    engine = next((name for name in TFLITE_ENGINES if name in facts["runtimes"]), "litert")
    threads = facts.get("cores")
    tables: dict[str, dict[str, Any]] = {
        "transport": target.transport.model_dump(exclude_none=True, exclude_defaults=True),
        "runtime": {"engine": engine, "threads": threads if isinstance(threads, int) and 1 <= threads <= 256 else 1},
        "expect": {"machine": facts["machine"]} if isinstance(facts.get("machine"), str) else {},
        "monitor": {"temperature": True} if facts.get("temperature_c") is not None else {},
    }
    head = {"schema": "edgeval/device/1", "name": target.name, "summary": f"{what} over SSH"[:200], "kind": "cpu"}
    return as_toml({**head, **tables})

"""What the monitor saw during a run, in short, and whether the card says that latencies are then worth nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgeval.records.target import Monitor

Look = dict[str, Any]
SLOWED = ("throttled", "frequency-capped", "soft-temperature-limit")
TEMPERATURE = "temperature>"


def watched(monitor: Monitor) -> bool:
    """Whether anything is to be watched."""
    return monitor.temperature or monitor.throttled or monitor.frequency or bool(monitor.fail_on)


def summarise(looks: Sequence[Look], monitor: Monitor) -> dict[str, Any]:
    """Temperature (C), clock (MHz) and slow-downs of a run, and which conditions of `fail_on` were met.

    Empty without looks. A condition that the board cannot tell of counts as met: it is not proven to be absent.
    """
    if not looks:
        return {}
    found: dict[str, Any] = {"looks": len(looks)}
    heat = any(condition.startswith(TEMPERATURE) for condition in monitor.fail_on)
    if monitor.temperature or heat:
        found["temperature_c"] = _course(looks, "temperature_c", max, "highest")
    if monitor.frequency:
        found["frequency_mhz"] = _course(looks, "frequency_mhz", min, "lowest")
    if monitor.throttled or len(monitor.fail_on) > heat:
        found["throttling"] = slowdowns(looks)
    failed = [said for said in (_met(condition, looks) for condition in monitor.fail_on) if said]
    return found | ({"failed": failed} if failed else {})


def slowdowns(looks: Sequence[Look]) -> list[str] | None:
    """What slowed the board down during the run, also between two looks; None where the board cannot tell."""
    if all(look["throttled"] is None and not look["throttling"] for look in looks):
        return None
    seen = dict.fromkeys(word for look in looks for word in look["throttling"])
    known = set(looks[0]["throttled_before"])  # set before the run, and so says nothing of it
    seen |= dict.fromkeys(word for look in looks for word in look["throttled_before"] if word not in known)
    return list(seen)


def _met(condition: str, looks: Sequence[Look]) -> str:
    """Why a condition counts as met; empty if it does not."""
    if condition.startswith(TEMPERATURE):
        told = [look["temperature_c"] for look in looks if look["temperature_c"] is not None]
        if not told:
            return f"{condition}: the board does not tell its temperature"
        limit = float(condition.removeprefix(TEMPERATURE))
        return f"{condition}: {max(told):g} °C" if max(told) > limit else ""
    slow = slowdowns(looks)
    if slow is None:
        return f"{condition}: the board does not tell whether it is slowed down"
    words = SLOWED if condition == "throttled" else (condition,)
    hit = [word for word in slow if word in words]
    return f"{condition}: {', '.join(hit)}" if hit else ""


def _course(looks: Sequence[Look], name: str, extreme: Any, word: str) -> dict[str, float | None]:
    """A figure before the run, at its worst, and after."""
    told = [look[name] for look in looks if look[name] is not None]
    return {"before": looks[0][name], word: extreme(told) if told else None, "after": looks[-1][name]}

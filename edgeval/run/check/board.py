"""The board itself: folder, disk, clock, memory, health, and what its card expects of it."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from edgeval.records.target import Expect, Target
from edgeval.run.check.finding import Finding, State, Survey, as_root, card_line, card_place, on_board
from edgeval.run.check.wheels import Version, numbers

DISK_MB, INSTALL_MB, MEMORY_MB = 100, 600, 64
CLOCK_S, CERTIFICATE_S = 60, 86_400
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
COOL = "cool the board: latency is not that of a board at full clock"
ADVICE = {
    "under-voltage": "use the board's own power supply and a short cable",
    "frequency-capped": "use the board's own power supply, and cool it",
}


def place(survey: Survey, target: Target, needs_runtime: bool) -> list[Finding]:
    """Whether the working folder takes files, and how many."""
    folder, error, free = survey["folder"], survey["folder_error"], survey["disk_free_mb"]
    need = INSTALL_MB if needs_runtime else DISK_MB
    if error is not None and "space" not in error:
        step = card_line(target, 'workdir = "/a/folder/that/you/may/write"')
        return [Finding("folder", "missing", f"{folder}: {error}", (step,))]
    if error is not None or (free is not None and free < need):
        steps = (f"edgeval devices clean {target.name}", as_root(survey, target, "apt-get clean"))
        return [Finding("disk", "missing", f"{free or 0:,} MB free at {folder}, {need} needed", steps)]
    return [Finding("folder", "ok", f"{folder}" + ("" if free is None else f", {free:,} MB free"))]


def clock(survey: Survey, target: Target, now: float) -> list[Finding]:
    """How far the board's clock is off: certificates are refused by one that lives in the past."""
    off = survey["time"] - now
    if abs(off) < CLOCK_S:
        return [Finding("clock", "ok", "agrees with this computer's")]
    steps = [as_root(survey, target, f"date -u -s @{now:.0f}"), as_root(survey, target, "timedatectl set-ntp true")]
    state: State = "missing" if abs(off) > CERTIFICATE_S else "note"
    ahead = "ahead" if off > 0 else "behind"
    return [
        Finding("clock", state, f"{_span(abs(off))} {ahead}", tuple(steps[: 1 if survey["network"] is False else 2]))
    ]


def memory(survey: Survey, target: Target) -> list[Finding]:
    """Memory in all against the card, and what is free."""
    total, free, said = survey["memory_mb"], survey["memory_free_mb"], target.limits.memory_mb
    if total is None or free is None:
        return []
    if said is not None and total < 0.85 * said:  # firmware and kernel keep some of what is sold
        return [
            Finding("memory", "missing", f"{total:,} MB, the card says {said:,}", ("check that this is the board",))
        ]
    if free < MEMORY_MB:
        step = on_board(target, "ps -eo rss,comm --sort=-rss | head")
        return [Finding("memory", "missing", f"{free:,} of {total:,} MB free", (f"end what takes it: {step}",))]
    return [Finding("memory", "ok", f"{free:,} of {total:,} MB free")]


def health(survey: Survey, target: Target) -> list[Finding]:
    """Temperature, clock and what slows the board down, now and since it started."""
    degrees, now, before = survey["temperature_c"], survey["throttling"], survey["throttled_before"]
    parts = [] if degrees is None else [f"{degrees:.0f} °C"]
    if survey["frequency_mhz"]:
        top = f" of {survey['frequency_max_mhz']:.0f}" if survey["frequency_max_mhz"] else ""
        parts.append(f"{survey['frequency_mhz']:.0f}{top} MHz")
    parts += [survey["governor"]] if survey["governor"] else []
    if now:
        steps = tuple(dict.fromkeys(ADVICE.get(word, COOL) for word in now))
        return [Finding("health", "note", ", ".join([*parts, f"slowed down now: {' and '.join(now)}"]), steps)]
    if before:
        steps = tuple(dict.fromkeys(ADVICE.get(word, COOL) for word in before))
        return [Finding("health", "note", ", ".join([*parts, f"since it started: {' and '.join(before)}"]), steps)]
    return [Finding("health", "ok", ", ".join(parts))] if parts else []


def expected(survey: Survey, target: Target) -> list[Finding]:
    """What the card's [expect] says of the machine, its model, processor, Python and C library."""
    mend = f"use the board that the card means, or mend [expect] in {card_place(target)}"
    found = unlike(survey, target.expect)
    what = f"{_name(survey)}, {survey['machine']}, {survey['os'] or survey['system']}"
    said = [Finding(name, "missing", f"{seen}, the card expects {wanted}", (mend,)) for name, seen, wanted in found]
    return said or [Finding("board", "ok", what)]


def unlike(facts: dict[str, Any], expect: Expect) -> list[tuple[str, str, str]]:
    """What of a board's facts is not as a card says: (name of the fact, what it is, what the card expects)."""
    found, name = [], _name(facts)
    if expect.machine and expect.machine != facts.get("machine"):
        found.append(("machine", str(facts.get("machine")), expect.machine))
    if expect.model_match and expect.model_match.lower() not in f"{name} {facts.get('cpu') or ''}".lower():
        found.append(("model", name, expect.model_match))
    lacking = [word for word in expect.cpu_features if word not in (facts.get("cpu_features") or ())]
    if lacking:
        found.append(("cpu", f"no {', '.join(lacking)}", ", ".join(expect.cpu_features)))
    if expect.python and not fits(str(facts.get("python")), expect.python):
        found.append(("Python", str(facts.get("python")), expect.python))
    if expect.glibc and not fits(str(facts.get("glibc") or ""), expect.glibc, least=True):
        found.append(("glibc", str(facts.get("glibc") or "another C library"), expect.glibc))
    return found


def fits(version: str, asked: str, *, least: bool = False) -> bool:
    """Whether a version meets `3.11` (this or below it; with `least`, this or later) or `>=3.9,<3.12`."""
    have = numbers(version)
    for part in asked.split(","):
        match = re.match(r"\s*(>=|<=|>|<|==)?\s*([\d.]+)\s*$", part)
        if match is None:
            return False
        sign, wanted = match.group(1) or (">=" if least else "=="), numbers(match.group(2))
        if not (have[: len(wanted)] == wanted if sign == "==" else COMPARE[sign](_cut(have, wanted), wanted)):
            return False
    return True


def _cut(have: Version, wanted: Version) -> Version:
    """As many places as are asked for: 3.11.2 is not above 3.11."""
    return have[: len(wanted)]


def _name(facts: dict[str, Any]) -> str:
    """What a board calls itself."""
    return str(facts.get("board") or facts.get("cpu") or "a board without a name")


def _span(seconds: float) -> str:
    return f"{seconds / 86_400:,.0f} days" if seconds > 172_800 else f"{seconds / 60:,.0f} minutes"

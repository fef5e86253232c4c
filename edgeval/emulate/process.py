"""One running qemu, told apart from any later process that got its number."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

PATIENCE_S = 5.0


@dataclass(frozen=True)
class Running:
    """A started board: its process, when that process began (ticks since the computer's start), and its port."""

    pid: int
    began: int
    boot: str
    port: int
    since: float

    @property
    def alive(self) -> bool:
        """Whether this very process still runs: a number alone may belong to another one by now."""
        return self.boot == boot_id() and self.began == process_start(self.pid)

    @property
    def uptime_s(self) -> float:
        return max(0.0, time.time() - self.since)

    def end(self) -> None:
        """End it, if it is still the one that was started."""
        for number, patience in ((signal.SIGTERM, PATIENCE_S), (signal.SIGKILL, PATIENCE_S)):
            if not self.alive:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            until = time.monotonic() + patience
            while self.alive and time.monotonic() < until:
                time.sleep(0.05)


def remember(pid: int, port: int, place: Path) -> Running:
    """Write down which process runs the board."""
    running = Running(pid, process_start(pid) or -1, boot_id(), port, time.time())
    part = place.with_suffix(".part")
    part.write_text(json.dumps(asdict(running)), encoding="utf-8")
    part.replace(place)
    return running


def recall(place: Path) -> Running | None:
    """The process that runs the board, None if it ended or was never started."""
    try:
        found = Running(**json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    plain = all(type(number) is int and number > 1 for number in (found.pid, found.began, found.port))
    return found if plain and found.alive else None


def process_start(pid: int) -> int | None:
    """When a process began, in ticks since the computer's start; None if there is none or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else int(fields[19])


def boot_id() -> str:
    """Which start of this computer this is; empty where the kernel does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""

"""What tests of devices over ssh share: programs that are told apart, and a reporter that keeps what it hears."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path

LONG = f"1{secrets.randbelow(10**9):09}"  # seconds that tell our processes from any others
SLEEP = "import sys, time; print('on', flush=True); time.sleep(float(sys.argv[1]))"


class Listener:
    """A reporter that keeps what it hears."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.bars: dict[str, list[tuple[int, int]]] = {}

    def say(self, text: str) -> None:
        self.said.append(text)

    def bar(self, label: str, unit: str = "images") -> Callable[[int, int], None]:
        steps = self.bars.setdefault(f"{label} {unit}", [])
        return lambda done, total: steps.append((done, total))


def gone(word: str, seconds: float = 8) -> bool:
    """Whether no process has this word in its command line, at the latest after this time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not any(word.encode() in _command(place) for place in Path("/proc").glob("[0-9]*/cmdline")):
            return True
        time.sleep(0.05)
    return False


def _command(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError:
        return b""


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)

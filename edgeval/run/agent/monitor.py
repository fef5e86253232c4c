"""Watches the board's health while a run goes on: before, every few seconds, and after."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Optional

from .facts import health


class Monitor:
    """Sends health frames through `say(kind, **fields)` from a thread of its own; none without an interval."""

    def __init__(self, say: Callable[..., None], interval_s: Optional[float]) -> None:
        self.say, self.interval_s = say, interval_s
        self.began = time.monotonic()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """The first look comes before any work."""
        if self.interval_s:
            self._look("before")
            self.thread.start()

    def stop(self) -> None:
        """The last look, once the work is done."""
        self.over.set()
        if self.interval_s:
            self.thread.join()
            self._look("after")

    def _watch(self) -> None:
        while not self.over.wait(self.interval_s):
            self._look("during")

    def _look(self, phase: str) -> None:
        seen = health()
        self.say("health", phase=phase, at_s=round(time.monotonic() - self.began, 3), **seen)


def monitor(say: Callable[..., None], job: Any) -> Monitor:
    """A monitor as the job asks for it."""
    return Monitor(say, job.get("monitor_s"))

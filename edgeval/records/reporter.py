"""How long work tells what it is doing: one seam, so that only the command line prints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Progress = Callable[[int, int], None]


class Reporter(Protocol):
    """Where progress and statements go."""

    def say(self, text: str) -> None:
        """One line for the user."""

    def bar(self, label: str, unit: str = "images") -> Progress:
        """A new progress line; the function it gives is called with (done, total)."""


class Silent:
    """A reporter that says nothing."""

    def say(self, text: str) -> None:
        return None

    def bar(self, label: str, unit: str = "images") -> Progress:
        return lambda done, total: None

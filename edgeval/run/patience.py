"""How a run outlives a link that breaks: it waits longer each time, and gives up where nothing moves on."""

from __future__ import annotations

import time
from collections.abc import Callable

from edgeval.errors import LinkLost, UnreachableError

PAUSES_S = (0.5, 1, 2, 4, 8, 15, 30, 30, 30)  # two minutes in all: a board starts again within one


class Patience:
    """Counts failures in a row; whatever arrived in between starts the count again."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._failed = 0

    def moved(self) -> None:
        """Something arrived."""
        self._failed = 0

    def after(self, error: LinkLost) -> None:
        """Say what happened and wait. Raises UnreachableError once that has been tried often enough."""
        if self._failed >= len(PAUSES_S):
            what = f"{error.what} and cannot be made again"
            raise UnreachableError(what, seen=error.seen, hint=error.hint) from error
        pause = PAUSES_S[self._failed]
        self._failed += 1
        self._say(f"{error.what}; trying again in {pause:g} s (try {self._failed} of {len(PAUSES_S)})")
        time.sleep(pause)

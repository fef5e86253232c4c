"""What a user sees while work goes on: live bars on a terminal, plain lines elsewhere, always on standard error."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from edgeval.cli.plain import echo, plain

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from edgeval.records.reporter import Progress

PLAIN_INTERVAL_S = 10.0


class Display:
    """A reporter for the command line; used as a context so that live bars are closed properly."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._live: RichProgress | None = None

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, text: str) -> None:
        """One line for the user."""
        if self.quiet:
            return
        if self._live is not None:
            self._live.console.print(plain(text), markup=False, highlight=False)
        else:
            echo(text, err=True)

    def bar(self, label: str, unit: str = "images") -> Progress:
        """A new line of progress with rate and time left; it appears with its first news."""
        if self.quiet:
            return lambda done, total: None
        return self._live_bar(label, unit) if sys.stderr.isatty() else _plain_bar(label, unit)

    def _live_bar(self, label: str, unit: str) -> Progress:
        """A rich bar, started when the first progress comes."""
        task: list[int] = []

        def progress(done: int, total: int) -> None:
            live = self._started()
            if not task:
                task.append(live.add_task(label, total=total, unit=unit, start_at=done))
            live.update(task[0], completed=done, total=total)  # type: ignore[arg-type]

        return progress

    def _started(self) -> RichProgress:
        """The live display, running."""
        if self._live is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = ("[progress.description]{task.description}", BarColumn(bar_width=24), MofNCompleteColumn())
            more = (TextColumn("{task.fields[unit]}"), TimeRemainingColumn(elapsed_when_finished=True))
            self._live = Progress(*columns, *more, console=Console(stderr=True), refresh_per_second=4)
            self._live.start()
        return self._live


def _plain_bar(label: str, unit: str) -> Progress:
    """Lines with rate and time left, one every ten seconds, and one at the end."""
    state = {"first": -1, "begun": time.monotonic(), "said": time.monotonic(), "ended": False}

    def progress(done: int, total: int) -> None:
        now, ended = time.monotonic(), done >= total
        if state["first"] < 0 and not ended:  # what waited for a free worker has not begun before its first news
            state["first"], state["begun"] = done, now
        if state["ended"] or (not ended and now - state["said"] < PLAIN_INTERVAL_S):
            return
        state["said"], state["ended"] = now, ended
        spent = now - state["begun"]
        rate = (done - state["first"]) / max(spent, 1e-6)
        left = f", {(total - done) / rate:.0f} s left" if rate > 0 else ""
        echo(f"{label}: {f'{done:,}/{total:,} {unit}'.strip()}{f', {spent:.0f} s' if ended else left}", err=True)

    return progress

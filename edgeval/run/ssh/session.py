"""One request to the device: an ssh process, the replies that come out of it, and signs of life that go in."""

from __future__ import annotations

import contextlib
import json
import resource
import threading
from collections.abc import Sequence
from typing import IO, Any

from edgeval.errors import BenchError
from edgeval.run.agent.replies import SIGN
from edgeval.run.host import LocalProcess

PULSE_S = 5.0
LINE_MAX = 1 << 16
ERRORS_MAX = 1 << 24  # bytes of standard error that a device may send
NOISE_MAX = 1 << 20  # what a login shell may print before our program speaks


class Session(LocalProcess):
    """The near end of a request; `wait` gives ssh's own exit status, 255 where the link broke."""

    timed_out = False

    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__(argv)
        if hasattr(resource, "prlimit"):  # the only file that ssh writes is our copy of its standard error
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(self._child.pid, resource.RLIMIT_FSIZE, (ERRORS_MAX, ERRORS_MAX))

    def reply(self, within_s: float) -> dict[str, Any] | None:
        """The next reply; None at the end, or where none comes in this time, which ends the session."""
        timer = threading.Timer(within_s, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            return self._reply()
        finally:
            timer.cancel()

    def _reply(self) -> dict[str, Any] | None:
        noise = 0
        while noise < NOISE_MAX:
            line = self.stdout.readline(LINE_MAX)
            if not line:
                return None
            at = line.find(SIGN)  # a prompt without a line end may stand before it
            found = _object(line[at + len(SIGN) :]) if at >= 0 else None
            if found is not None:
                return found
            noise += len(line)
        self._give_up()
        return None

    def write(self, data: bytes) -> None:
        """Send bytes to the device. Raises BrokenPipeError."""
        assert self._child.stdin is not None  # opened as a pipe
        self._child.stdin.write(data)
        self._child.stdin.flush()

    def running(self) -> bool:
        """Whether the ssh process is still there."""
        return self._child.poll() is None

    def _give_up(self) -> None:
        self.timed_out = True
        self._child.kill()


class Pulse:
    """Writes a byte to living sessions now and then: a device that hears nothing ends what it runs."""

    def __init__(self) -> None:
        self._sessions: set[Session] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def add(self, session: Session) -> None:
        """Keep this session alive from now on."""
        with self._lock:
            self._sessions.add(session)

    def remove(self, session: Session) -> None:
        """Leave this session alone."""
        with self._lock:
            self._sessions.discard(session)

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(PULSE_S):
            with self._lock:
                for session in list(self._sessions):
                    try:
                        session.write(b".")
                    except (OSError, ValueError):
                        self._sessions.discard(session)


def _object(text: bytes) -> dict[str, Any] | None:
    """A JSON object, or None for what is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def take_exactly(stream: IO[bytes], size: int) -> bytes | None:
    """So many bytes, or None if the stream ends before."""
    data = stream.read(size)
    return data if len(data) == size else None


def whole(reply: dict[str, Any], key: str, most: int) -> int:
    """A whole number 0..most from a reply. Raises BenchError for anything else."""
    found = reply.get(key)
    if type(found) is not int or not 0 <= found <= most:
        hint = "is it really an edgeval device, and its Python sound?"
        raise BenchError("the device answers what it was not asked", seen=f"{key}: {str(found)[:80]}", hint=hint)
    return found

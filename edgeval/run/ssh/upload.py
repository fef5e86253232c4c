"""Send one file in blocks that the device acknowledges: the rate is known, and blocks shrink where the link is slow."""

from __future__ import annotations

import contextlib
import struct
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

BLOCK = 1 << 14
SLOW = 2_000_000  # bytes a second under which packing a block costs less time than it saves
ENOUGH = 8 * BLOCK  # acknowledged bytes from which the rate is believed
WINDOW_MIN, WINDOW_MAX = 4, 64
RAW, PACKED, END = 0, 1, 2

Hear = Callable[[], dict[str, Any]]
Told = Callable[[dict[str, Any], int], None]


@dataclass
class Flow:
    """What is on its way: bytes on the wire of each block that is not acknowledged yet, and the rate so far."""

    under_way: deque[int] = field(default_factory=deque)
    window: int = WINDOW_MIN
    arrived: int = 0
    begun: float = field(default_factory=time.monotonic)

    @property
    def slow(self) -> bool:
        """Whether the link was measured to be slow."""
        rate = self.arrived / max(1e-6, time.monotonic() - self.begun)
        return self.arrived >= ENOUGH and rate < SLOW

    def acknowledged(self) -> int:
        """One more block has arrived; its bytes on the wire."""
        size = self.under_way.popleft()
        self.arrived += size
        self.window = WINDOW_MIN if self.slow else min(WINDOW_MAX, self.window + 1)
        return size


def send(source: IO[bytes], write: Callable[[bytes], None], hear: Hear, told: Told) -> None:
    """Send what is left of a source; `hear` gives the device's next reply, `told` gets it and what it took to send.

    Raises what `hear` raises. A pipe that breaks is left to `hear`, which knows why.
    """
    flow = Flow()
    for block in iter(lambda: source.read(BLOCK), b""):
        while len(flow.under_way) >= flow.window:
            told(hear(), flow.acknowledged())
        packed = zlib.compress(block, 1) if flow.slow else block
        body = packed if len(packed) < len(block) else block
        _write(write, struct.pack(">BI", PACKED if body is not block else RAW, len(body)) + body)
        flow.under_way.append(len(body))
    _write(write, struct.pack(">BI", END, 0))
    while flow.under_way:
        told(hear(), flow.acknowledged())
    hear()  # that it is whole


def _write(write: Callable[[bytes], None], data: bytes) -> None:
    """Write, unless the pipe is broken: the replies say why."""
    with contextlib.suppress(BrokenPipeError):
        write(data)

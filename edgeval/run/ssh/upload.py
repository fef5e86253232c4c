"""Send one file in blocks that the device acknowledges: the rate is known, and blocks shrink where the link is slow."""

from __future__ import annotations

import contextlib
import lzma
import struct
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from edgeval.run.agent import porter

BLOCK = 1 << 14
SLOW = 1_000_000  # bytes a second under which packing a block costs less time than it saves
ENOUGH = 4 * BLOCK  # acknowledged bytes from which the rate is believed
WINDOW_MIN, WINDOW_MAX = 12, 64
RAW, DEFLATED, END, PIXELS = 0, 1, 2, 3

Hear = Callable[[], dict[str, Any]]
Packing = Callable[[bytes], tuple[int, bytes]]
Told = Callable[[dict[str, Any], int], None]


@dataclass
class Flow:
    """What is on its way: bytes on the wire of each block that is not acknowledged yet, and the rate so far."""

    under_way: deque[int] = field(default_factory=deque)
    window: int = WINDOW_MIN
    arrived: int = 0
    begun: float | None = None  # when the first block arrived: what came before was the device getting ready

    @property
    def slow(self) -> bool:
        """Whether the link was measured to be slow."""
        if self.begun is None or self.arrived < ENOUGH:
            return False
        return self.arrived / max(1e-6, time.monotonic() - self.begun) < SLOW

    def acknowledged(self) -> int:
        """One more block has arrived; its bytes on the wire."""
        size = self.under_way.popleft()
        if self.begun is None:
            self.begun = time.monotonic()
            return size
        self.arrived += size
        unsure = self.arrived < ENOUGH or self.slow
        self.window = WINDOW_MIN if unsure else min(WINDOW_MAX, self.window + 1)
        return size


def deflated(block: bytes) -> tuple[int, bytes]:
    """A block packed in a way that every Python can unpack."""
    return DEFLATED, zlib.compress(block, 1)


def pixels(block: bytes) -> tuple[int, bytes]:
    """A block packed as differences between neighbouring pixels: photographs shrink by a quarter more."""
    return PIXELS, lzma.compress(block, lzma.FORMAT_RAW, filters=porter.PIXELS)


def send(
    source: IO[bytes], write: Callable[[bytes], None], hear: Hear, told: Told, *, packing: Packing = deflated
) -> None:
    """Send what is left of a source; `hear` gives the device's next reply, `told` gets it and what it took to send.

    Raises what `hear` raises. A pipe that breaks is left to `hear`, which knows why.
    """
    flow = Flow()
    for block in iter(lambda: source.read(BLOCK), b""):
        while len(flow.under_way) >= flow.window:
            told(hear(), flow.acknowledged())
        flag, body = packing(block) if flow.slow else (RAW, block)
        flag, body = (flag, body) if len(body) < len(block) else (RAW, block)
        _write(write, struct.pack(">BI", flag, len(body)) + body)
        flow.under_way.append(len(body))
    _write(write, struct.pack(">BI", END, 0))
    while flow.under_way:
        told(hear(), flow.acknowledged())
    hear()  # that it is whole


def _write(write: Callable[[bytes], None], data: bytes) -> None:
    """Write, unless the pipe is broken: the replies say why."""
    with contextlib.suppress(BrokenPipeError):
        write(data)

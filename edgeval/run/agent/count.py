"""Instructions that one answer takes, counted by the processor: the same number in every run on an emulated board."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import struct
import sys
from typing import Any, Callable, Dict, List

from . import frames
from .worker import Bench, private_stdout

WARM_UP, COUNTED = 12, 25
# perf_event_open(2): its number, and the words of its attributes that are not 0.
CALLS = {"aarch64": 241, "x86_64": 298}
SIZE, INSTRUCTIONS, USER_ONLY = 112, 1, (1 << 5) | (1 << 6)


def count(job: Dict[str, Any]) -> int:
    """Send how many instructions of this process the answer to the first image takes. Returns the exit status."""
    out = private_stdout()
    try:
        bench = Bench(job, threads=1)
        prepared = bench.prepare(bench.images[:1])
        counter = open_counter()
        empty = median(counts(counter, lambda: None))
        found = counts(counter, lambda: bench.model.answer(prepared))
        frames.write(out, "instructions", median=median(found) - empty, least=min(found) - empty, n=len(found))
    except frames.Fault as fault:
        frames.write(out, "error", **fault.fields)
        return 1
    return 0


def counts(counter: int, work: Callable[[], Any]) -> List[int]:
    """Instructions of single calls, after a warm-up; reading the counter is part of each."""
    read, total = os.read, WARM_UP + COUNTED
    marks = [b""] * (2 * total)
    gc.collect()
    gc.disable()
    for k in range(total):
        marks[2 * k] = read(counter, 8)
        work()
        marks[2 * k + 1] = read(counter, 8)
    gc.enable()
    values = [struct.unpack("<Q", mark)[0] for mark in marks]
    return [after - before for before, after in zip(values[::2], values[1::2])][WARM_UP:]  # noqa: B905


def median(values: List[int]) -> int:
    """The middle one; COUNTED is odd."""
    return sorted(values)[len(values) // 2]


def open_counter() -> int:
    """A file that holds how many instructions this thread has run outside the kernel. Raises Fault."""
    number = CALLS.get(platform.machine()) if sys.platform.startswith("linux") else None
    if number is None:
        raise frames.Fault("counter", "instructions cannot be counted on this system", platform.platform())
    words = (ctypes.c_char * SIZE)()
    struct.pack_into("<IIQ", words, 0, 0, SIZE, INSTRUCTIONS)
    struct.pack_into("<Q", words, 40, USER_ONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    counter: int = libc.syscall(number, words, 0, -1, -1, 0)
    if counter < 0:
        seen = os.strerror(ctypes.get_errno())
        raise frames.Fault("counter", "the kernel gives no instruction counter", seen, "use an emulated board")
    return counter

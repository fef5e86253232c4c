"""How much memory a model needs on a microcontroller: the arena as recorded, and the smallest that works."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import threading
from typing import IO, Any, Callable, Dict, Optional, Tuple

import numpy as np

from . import frames
from .frames import Fault
from .tflm import ROOMY, Overheard, allocate, contents
from .worker import die_with_parent, private_stdout

STEP = 16  # TFLM aligns what it allocates to so many bytes
MOST = 1 << 30
PART = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")


def measure(job_path: str) -> int:
    """Send one `arena` frame, sizes in bytes; each size is tried in a process of its own. Returns the exit status."""
    out = private_stdout()
    threading.Thread(target=die_with_parent, daemon=True).start()
    with open(job_path, encoding="utf-8") as file:
        job = json.load(file)
    try:
        found = sizes(job, lambda arena: _try(job_path, job, arena))
        frames.write(out, "arena", b"", **found)
    except Fault as fault:
        frames.write(out, "error", **fault.fields)
        return 1
    return 0


def sizes(job: Dict[str, Any], attempt: Callable[[int], Dict[str, Any]]) -> Dict[str, int]:
    """The recorded sizes and the smallest that works, by attempts. Raises the Fault of the roomiest one."""
    arena = -(-max(ROOMY, 10 * len(contents(job["model"])[0])) // STEP) * STEP
    first = attempt(arena)
    while first.get("code") == "arena" and arena < MOST:
        arena = min(MOST, 4 * arena)
        first = attempt(arena)
    if "code" in first:
        raise Fault(*(first[key] for key in ("code", "message", "seen", "hint")))
    recorded = {key: int(first[key]) for key in ("total", "head", "tail")}

    def works(size: int) -> bool:
        found = attempt(size)
        return "code" not in found and bool(found["answer"] == first["answer"])

    return dict(recorded, smallest=smallest(works, recorded["total"], arena))


def smallest(works: Callable[[int], bool], guess: int, most: int) -> int:
    """The least multiple of STEP that works, given that `most` does; `guess` is likely it, and is tried first."""
    low, high = 0, most
    guess = -(-guess // STEP) * STEP
    for probe in (guess, guess - STEP):
        if low < probe < high:
            low, high = (low, probe) if works(probe) else (probe, high)
    while high - low > STEP:
        middle = (low + high) // (2 * STEP) * STEP
        low, high = (low, middle) if works(middle) else (middle, high)
    return high


def attempt(job_path: str, arena: int) -> int:
    """In a child: run the model once in an arena of this size and say how that went. Returns the exit status."""
    out = private_stdout()
    threading.Thread(target=die_with_parent, daemon=True).start()
    with open(job_path, encoding="utf-8") as file:
        job = json.load(file)
    try:
        frames.write(out, "attempt", b"", **_answered(job, arena))
    except Fault as fault:
        frames.write(out, "error", **fault.fields)
    return 0


def _answered(job: Dict[str, Any], arena: int) -> Dict[str, Any]:
    """A hash of the answer to one input of noise, and the sizes that TFLM recorded."""
    data, parts = contents(job["model"])
    interpreter = allocate(job, data, arena)
    details = interpreter.get_input_details(0)
    kind, rng = np.dtype(details["dtype"]), np.random.RandomState(0)
    noise = rng.rand(*details["shape"]) if kind.kind == "f" else rng.randint(0, 127, details["shape"])
    interpreter.set_input(noise.astype(kind), 0)
    interpreter.invoke()
    digest = hashlib.sha256()
    for k in range(len(parts.outputs)):
        digest.update(interpreter.get_output(k).tobytes())
    said = Overheard()
    with said:
        interpreter.print_allocations()
    return dict(recorded(said.text), answer=digest.hexdigest())


def recorded(said: str) -> Dict[str, int]:
    """The arena's total, head (activations) and tail (what lasts), from what TFLM prints. Raises Fault."""
    found = {part: int(size) for part, size in PART.findall(said)}
    if set(found) != {"total", "head", "tail"}:
        raise Fault("runtime", "this version of tflite-micro does not tell its arena", said.strip()[:200])
    return found


def _try(job_path: str, job: Dict[str, Any], arena: int) -> Dict[str, Any]:
    """The frame of one attempt; a crash or a hang is a `crash` or `timeout`."""
    words = [sys.executable, sys.argv[0], "attempt", job_path, str(arena)]
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    timer = threading.Timer(job["sample_timeout_s"], child.kill)
    timer.start()
    try:
        frame = _first(child.stdout)
        status = child.wait()
    finally:
        timer.cancel()
        child.kill()
    if frame is not None:
        return frame[0]
    seen = "{} {}, exit status {}".format(job["engine"], job["version"], status)
    return {"code": "crash", "message": "TensorFlow Lite Micro crashes on the model", "seen": seen, "hint": ""}


def _first(stream: Optional[IO[bytes]]) -> Optional[Tuple[frames.Header, bytes]]:
    assert stream is not None  # opened as a pipe
    return frames.read(stream)

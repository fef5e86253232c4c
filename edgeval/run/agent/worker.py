"""One worker process: answers its share of the images, or measures latency and memory."""

from __future__ import annotations

import os
import re
import resource
import signal
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Any, Dict, List

import numpy as np

from . import delegates, frames, pixels
from .crew import pieces
from .engines import open_model
from .model import Model, load, no_memory
from .tflite import INTERPRETERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

BLOCK_BYTES = 1 << 18  # of one prepared block: enough to work in bulk, small enough to stay in a cache
BLOCK_SECONDS = 0.2
WARM_UP_SECONDS, MEASURE_SECONDS, MEASURE_MAX, MEASURE_MIN = 0.2, 1.5, 2000, 5


def work(job: Dict[str, Any], share: int, shares: int) -> int:
    """Do every `shares`-th piece from `share` on; with no shares, measure. Returns the exit status."""
    out = private_stdout()
    threading.Thread(target=die_with_parent, daemon=True).start()
    try:
        if job.get("tryout"):
            return _try_out(job, out)
        bench = Bench(job, threads=1 if shares else job["threads"])
        frames.write(out, "hello", **bench.hello())
        if shares:
            for start, stop in pieces(job["ranges"], job["chunk"])[share::shares]:
                bench.send(out, start, stop)
        else:
            bench.measure(out)
    except frames.Fault as fault:
        frames.write(out, "error", **fault.fields)
        return 1
    except MemoryError as error:
        frames.write(out, "error", **no_memory(str(error) or "MemoryError").fields)
        return 1
    return 0


def _try_out(job: Dict[str, Any], out: IO[bytes]) -> int:
    """Load the delegate of a job and say what is known of it."""
    signal.setitimer(signal.ITIMER_REAL, job["sample_timeout_s"])
    frames.write(out, "delegate", **delegates.try_out(job, load(INTERPRETERS[job["engine"]], job)))
    return 0


class Bench:
    """A model and its images, ready to run."""

    def __init__(self, job: Dict[str, Any], threads: int) -> None:
        self.job, self.threads = job, threads
        self.images = _images(job["inputs"])
        image = self.images.shape[1:]
        self.model = open_model(job, threads, image)
        tensor = self.model.input
        tensor["layout"] = pixels.layout(tensor["shape"], image, job.get("layout", "auto"))
        how = pixels.undeclared(self.images.dtype, job, tensor)
        tensor["preprocess"] = how
        self.prepare = pixels.preparer(
            self.images.dtype, image[2], dict(how, channels=job.get("channels", "rgb")), tensor
        )
        prepared = self.prepare(self.images[:1])
        self.limit = max(1, BLOCK_BYTES // prepared.nbytes)
        self._alarm(0)
        self.row = self.model.first(prepared, job.get("classes"))
        self._silence()

    def hello(self) -> Dict[str, Any]:
        """How the model runs."""
        names = {key: self.job[key] for key in ("engine", "version", "kernels")}
        output = dict(self.model.output, shape=list(self.row.shape), dtype=self.row.dtype.name)
        return dict(names, threads=self.threads, input=self.model.input, output=output, **self.model.about)

    def send(self, out: IO[bytes], start: int, stop: int) -> None:
        """Answer images start..stop and send the raw outputs (n, C) as one chunk."""
        outputs = np.empty((stop - start, self.row.size), self.row.dtype)
        at, size = start, 1
        while at < stop:
            end = min(stop, at + size)
            took = self._fill(outputs[at - start : end - start], at, end)
            size = int(max(1, min(self.limit, BLOCK_SECONDS * (end - at) / took)))
            at = end
        shape, dtype = list(outputs.shape), outputs.dtype.str
        frames.write(out, "chunk", outputs.tobytes(), start=start, stop=stop, dtype=dtype, shape=shape)

    def _fill(self, outputs: "Array", start: int, stop: int) -> float:
        """Write the answers to images start..stop into outputs; seconds that it took."""
        self._alarm(BLOCK_SECONDS)
        began, answer = time.perf_counter(), self.model.answer
        for prepared, row in zip(self.prepare(self.images[start:stop])[:, None], outputs):  # noqa: B905
            row[:] = answer(prepared)
        self._silence()
        return max(1e-9, time.perf_counter() - began)

    def _alarm(self, seconds: float) -> None:
        """End this process if what follows hangs, were it inside a runtime: one image's limit on top of `seconds`."""
        signal.setitimer(signal.ITIMER_REAL, self.job["sample_timeout_s"] + seconds)

    def _silence(self) -> None:
        """What was to be done is done."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def measure(self, out: IO[bytes]) -> None:
        """Send latency (ms an image, batch 1) and the peak memory of this process (MiB)."""
        inputs = self.prepare(self.images[:32])[:, None]
        self._alarm(WARM_UP_SECONDS + MEASURE_SECONDS + 2 * MEASURE_MIN * self.job["sample_timeout_s"])
        _timed(self.model, inputs, WARM_UP_SECONDS)
        times = np.array(_timed(self.model, inputs, MEASURE_SECONDS)) * 1000
        self._silence()
        p50, p95 = (float(value) for value in np.percentile(times, [50, 95]))
        frames.write(out, "latency", p50=p50, p95=p95, n=len(times), threads=self.threads)
        frames.write(out, "memory", peak_mb=_peak_mb())


def _timed(model: Model, inputs: "Array", seconds: float) -> List[float]:
    """Seconds of single answers, until `seconds` or a count are used up."""
    times: List[float] = []
    until = time.perf_counter() + seconds
    while len(times) < MEASURE_MAX and (len(times) < MEASURE_MIN or time.perf_counter() < until):
        began = time.perf_counter()
        model.answer(inputs[len(times) % len(inputs)])
        times.append(time.perf_counter() - began)
    return times


def _images(path: str) -> "Array":
    """The images, mapped and not loaded. Raises Fault."""
    try:
        images: "Array" = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise frames.Fault("inputs", "the images cannot be read", str(error)) from error
    # A plain array over the same pages: slices of numpy's memmap class cost more.
    return images.view(np.ndarray)


def _peak_mb() -> float:
    """Peak resident memory of this process in MiB.

    The kernel's own high-water mark, where it shows one: ru_maxrss also counts the parent before exec.
    """
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            match = re.search(r"^VmHWM:\s+(\d+) kB", file.read(), re.M)
    except OSError:
        match = None
    if match:
        return int(match.group(1)) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def private_stdout() -> IO[bytes]:
    """Keep standard output for frames: what a runtime prints goes to standard error."""
    private = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(private, "wb")


def die_with_parent() -> None:
    """End at once when the parent is gone (its end of standard input closes)."""
    while os.read(0, 1024):
        pass
    os._exit(1)

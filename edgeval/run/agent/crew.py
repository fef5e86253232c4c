"""The master process: starts the workers, passes their frames on, and ends them whatever happens."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from typing import Any, Dict, List, Sequence, Tuple

from . import frames
from .facts import cores
from .monitor import monitor


def run(job_path: str) -> int:
    """Run a job: first the images that are asked for, then latency. Returns the exit status.

    Ends, and ends its workers, when standard input or output is closed.
    """
    with open(job_path, encoding="utf-8") as file:
        job = json.load(file)
    crew = Crew(job_path, job)
    threading.Thread(target=crew.end_with_host, daemon=True).start()
    if job["run_timeout_s"]:
        timer = threading.Timer(job["run_timeout_s"], crew.time_is_up)
        timer.daemon = True
        timer.start()
    health = monitor(crew.say, job)
    health.start()
    try:
        finished = crew.work()
    finally:
        crew.kill()
    health.stop()
    if finished:
        crew.say("done")
    return 0 if finished else 1


class Crew:
    """The worker processes of one job."""

    def __init__(self, job_path: str, job: Dict[str, Any]) -> None:
        self.job_path, self.job = job_path, job
        self.workers: List["subprocess.Popen[bytes]"] = []
        self.failed = False
        self.lock = threading.Lock()

    def work(self) -> bool:
        """All phases; True if every worker did its share."""
        shares = min(self.job["workers"] or cores(), len(pieces(self.job["ranges"], self.job["chunk"])))
        if not self.job["latency"]:
            shares = max(1, shares)
        threads = [threading.Thread(target=self.follow, args=(k, shares), daemon=True) for k in range(shares)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.job["latency"] and not self.failed:
            self.follow(0, 0)
        return not self.failed

    def follow(self, share: int, shares: int) -> None:
        """Start one worker, pass its frames on, and say how it ended if that was not well."""
        words = [sys.executable, sys.argv[0], "work", self.job_path, str(share), str(shares)]
        worker = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.workers.append(worker)
        assert worker.stdout is not None
        reported = False
        frame = frames.read(worker.stdout)
        while frame is not None:
            reported = reported or frame[0]["type"] == "error"
            self.send(*frame)
            frame = frames.read(worker.stdout)
        status = worker.wait()
        if status:
            self.failed = True
            if not reported:
                self.say("error", **obituary(status, self.job))

    def say(self, kind: str, **fields: Any) -> None:
        """Send a frame of the master's own."""
        self.send(dict({"type": kind, "size": 0}, **fields), b"")

    def send(self, header: frames.Header, payload: bytes) -> None:
        """Pass a frame to the host; without a host there is nothing left to do."""
        try:
            with self.lock:
                frames.relay(sys.stdout.buffer, header, payload)
        except (BrokenPipeError, ValueError):
            self.abandon()

    def end_with_host(self) -> None:
        """Wait until the host closes standard input or output, by intent or because it is gone."""
        watch = select.poll()
        watch.register(0, select.POLLIN)
        watch.register(1, 0)  # only its breaking is reported
        while all(fd == 0 and os.read(0, 1024) for fd, _ in watch.poll()):
            pass
        self.abandon()

    def time_is_up(self) -> None:
        """End a run that takes longer than the card allows."""
        seen = "{} s".format(self.job["run_timeout_s"])
        self.say("error", code="timeout", message="the run takes longer than run_timeout_s", seen=seen)
        self.abandon()

    def abandon(self) -> None:
        """End the workers and this process at once, from any thread."""
        self.kill()
        os._exit(1)

    def kill(self) -> None:
        """End all workers."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()


def pieces(ranges: Sequence[Sequence[int]], chunk: int) -> List[Tuple[int, int]]:
    """Ranges cut on a fixed grid, so that a resumed run asks for the same pieces."""
    cuts: List[Tuple[int, int]] = []
    for start, stop in ranges:
        edges = [start, *range(start - start % chunk + chunk, stop, chunk), stop]
        cuts.extend(zip(edges, edges[1:]))  # noqa: B905, RUF007 - Python 3.7
    return cuts


def obituary(status: int, job: Dict[str, Any]) -> Dict[str, str]:
    """The fields of an error frame for a worker that ended with this status and no word."""
    runtime = "{} {}".format(job["engine"], job["version"])
    if status >= 0:
        return {"code": "worker", "message": "a worker failed", "seen": "{}, exit status {}".format(runtime, status)}
    name = signal.Signals(-status).name
    if name == "SIGALRM":
        seen = "no answer from {} for {} s".format(runtime, job["sample_timeout_s"])
        return {"code": "timeout", "message": "one image takes longer than sample_timeout_s", "seen": seen}
    if job.get("delegate") and name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL"):
        return _crashed_delegate(-status, name, runtime, job)
    reason = "often too little memory" if name == "SIGKILL" else "a crash inside the runtime"
    message = "a worker was ended by signal {} ({}): {}".format(-status, name, reason)
    python = "Python {}".format(sys.version.split()[0])
    return {"code": "crash", "message": message, "seen": "{}, {}".format(runtime, python)}


def _crashed_delegate(number: int, name: str, runtime: str, job: Dict[str, Any]) -> Dict[str, str]:
    """The fields of an error frame for a crash with an external delegate, which is most often its doing."""
    delegate = job["delegate"].get("name") or job["delegate"]["library"]
    message = "the delegate and the runtime crash together: signal {} ({})".format(number, name)
    seen = "{} with {}, Python {}".format(delegate, runtime, sys.version.split()[0])
    hint = "install a build of the delegate that was made for this runtime, or the runtime that it was made for"
    return {"code": "crash", "message": message, "seen": seen, "hint": hint}

"""Run a model on samples at a host, and hand each chunk of answers over as soon as it is here and whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import DataError, IntegrityError, LinkLost, ModelError
from edgeval.records.arena import Arena
from edgeval.records.kerasfile import check_keras, keras_form
from edgeval.records.predictions import Latency
from edgeval.run import micro
from edgeval.run.agent import frames
from edgeval.run.agentfile import agent_bytes
from edgeval.run.faults import as_error, stopped
from edgeval.run.health import summarise
from edgeval.run.host import Host, Process
from edgeval.run.intake import (
    HINT,
    read_chunk,
    read_fault,
    read_hello,
    read_latency,
    read_look,
    read_memory,
    read_recorded,
)
from edgeval.run.job import Job
from edgeval.run.order import order
from edgeval.run.patience import Patience
from edgeval.run.probe import last_line, pick_engine, probe


def _silent(text: str) -> None:
    """Where nobody listens."""


FRAMES_MAX = 100_000  # that may come in a row without a new answer among them
ROUNDS = 2  # a chunk that arrives damaged is asked for once more

Range = tuple[int, int]


class Sink(Protocol):
    """Where answers are kept."""

    def have(self) -> list[Range]:
        """Ranges [start, stop) that are saved and verified."""

    def save(self, start: int, stop: int, outputs: NDArray[np.generic]) -> None:
        """Keep the raw outputs (stop - start, C) of these images, in the type the model gave them."""


@dataclass(frozen=True)
class RunResult:
    """How the model ran: the agent's account, ms an image, MiB of the process that measured it, what was watched."""

    hello: dict[str, Any]
    latency: Latency | None
    peak_memory_mb: float | None
    facts: dict[str, Any] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=dict)
    arena: Arena | None = None
    instructions: int | None = None
    shared: dict[str, Any] = field(default_factory=dict)


def infer(
    host: Host,
    job: Job,
    sink: Sink,
    *,
    progress: Callable[[int, int], None],
    facts: dict[str, Any] | None = None,
    say: Callable[[str], None] = _silent,
) -> RunResult:
    """Answer the images that `sink` lacks, saving chunk by chunk; then measure.

    `progress` is called with (images done, images in all); `facts` spares a second probe; `say` hears of links that
    broke and are made again. Raises ModelError or DataError for what cannot be run, BenchError for the host,
    IntegrityError for damaged or non-finite answers.
    """
    check(job)
    known = facts or probe(host)
    engine = pick_engine(known, job.target, job.model)
    run, patience = _Run(job, sink, progress), Patience(say)
    run.tell()
    while True:
        before = len(run.kept)
        try:
            words = order(host, job, engine)
            if micro.is_micro(job.target):
                run.arena = micro.fit(host, words, job)
                words |= {"arena": run.arena.smallest, "chunk": min(job.chunk, micro.CHUNK)}
            run.rounds(host, words)
            break
        except LinkLost as error:
            if len(run.kept) > before:
                patience.moved()
            patience.after(error)
    run.settle()
    health, counted = run.recorded.get("health"), run.recorded.get("instructions")
    health = health or summarise(run.looks, job.target.monitor)
    return RunResult(run.hello, run.latency, run.peak_mb, known, health, run.arena, counted)


def check(job: Job) -> None:
    """Raise ModelError or DataError for what can be seen to be wrong without running."""
    if keras_form(job.model) is not None:
        check_keras(job.model)
    elif not job.model.is_file():
        raise ModelError("there is no such model file", seen=job.model, hint="check the path")
    elif job.model.stat().st_size == 0:
        raise ModelError("the model file is empty (0 bytes)", seen=job.model, hint="export it again")
    micro.check_file(job.model, job.target)
    channels = job.samples.images.shape[-1]
    for name, values in (("mean", job.preprocess.mean), ("std", job.preprocess.std)):
        if len(values) not in (1, channels):
            raise DataError(f"{name} needs 1 or {channels} values for these images", seen=values)


def check_type(hello: dict[str, Any], job: Job) -> None:
    """Raise ModelError where the card asks for another type of input than the model takes."""
    wanted, found = job.target.model.dtype, hello["input"].get("dtype")
    if wanted is not None and found != wanted:
        what = f"{job.model.name}: its input is not the one that the card of {job.target.name} asks for"
        hint = "give another file, or mend dtype in the card's [model] table"
        raise ModelError(what, seen=f"{found}, the card says {wanted}", hint=hint)


def missing(have: list[Range], n: int) -> list[Range]:
    """The ranges of 0..n that `have` does not cover, in order."""
    gaps, at = [], 0
    for start, stop in sorted(have):
        if start > at:
            gaps.append((at, start))
        at = max(at, stop)
    return gaps + ([(at, n)] if at < n else [])


def dequantise(outputs: NDArray[np.generic], hello: dict[str, Any]) -> NDArray[np.float32]:
    """Raw outputs as real numbers, float32: (q - zero point) x scale where the model's output is quantised."""
    values = outputs.astype(np.float32)
    scale, zero_point = hello["output"]["scale"], hello["output"]["zero_point"]
    return values if scale is None else (values - np.float32(zero_point)) * np.float32(scale)


class _Run:
    """One inference as it goes: what has come, and what was wrong with it."""

    def __init__(self, job: Job, sink: Sink, progress: Callable[[int, int], None]) -> None:
        self.job, self.sink, self.progress = job, sink, progress
        self.kept = sink.have()
        self.hello: dict[str, Any] = {}
        self.latency: Latency | None = None
        self.peak_mb: float | None = None
        self.recorded: dict[str, Any] = {}
        self.looks: list[dict[str, Any]] = []
        self.arena: Arena | None = None
        self.not_finite: dict[Range, int] = {}
        self.columns = job.reading.classes
        self.damaged = 0
        self.spoken = 0
        self.enough = False
        self.wanted = len(job.samples) if job.upto is None else job.upto

    def todo(self) -> list[Range]:
        """Ranges that are neither saved nor known to be useless."""
        return missing([*self.kept, *self.not_finite], self.wanted)

    def tell(self) -> None:
        """Report progress."""
        left = sum(stop - start for start, stop in self.todo())
        self.progress(self.wanted - left, self.wanted)

    def rounds(self, host: Host, words: dict[str, Any]) -> None:
        """Run until all is answered; what arrives damaged is asked for once more."""
        # TensorFlow in Python is no deployment, and this computer is not as fast as a microcontroller is slow.
        measured = self.job.latency and keras_form(self.job.model) is None and self.arena is None
        for _ in range(ROUNDS):
            self.once(host, words | {"ranges": self.todo(), "latency": measured and self.latency is None})
            if self.enough or not self.todo():
                break

    def once(self, host: Host, words: dict[str, Any]) -> None:
        """One round of the agent, from start to end. Raises what it reported."""
        agent = host.put(agent_bytes(), "agent.pyz")
        order = host.put(json.dumps(words).encode(), "job.json")
        fault, done = None, False
        with host.run([host.python, agent, "run", order], alone=True) as process:
            frame = frames.read(process.stdout)
            while frame is not None:
                header, payload = frame
                fault = fault or (read_fault(header) if header["type"] == "error" else None)
                done = done or header["type"] == "done"
                self._take(header, payload)
                if self.enough:
                    return  # leaving `with` ends the agent
                frame = frames.read(process.stdout)
            if not done:
                raise _failure(process, fault, self.job)

    def _take(self, header: frames.Header, payload: bytes) -> None:
        """Keep what one frame brings."""
        kind = header["type"]
        self.spoken += 1
        if self.spoken > FRAMES_MAX:
            raise IntegrityError("the device sends without end", seen=f"{self.spoken:,} frames", hint=HINT)
        if kind == "hello":
            self.hello = read_hello(header)
            check_type(self.hello, self.job)
        elif kind == "chunk":
            self._keep(header, payload)
        elif kind == "latency":
            self.latency = read_latency(header)
        elif kind == "memory":
            self.peak_mb = read_memory(header)
        elif kind == "health":
            self.looks.append(read_look(header))
        elif kind == "recorded":
            self.recorded = read_recorded(header)

    def _keep(self, header: frames.Header, payload: bytes) -> None:
        """Save one chunk, unless it was damaged on the way, was not asked for, or holds what is no number."""
        found = read_chunk(header, payload, self.todo())
        if found is None:
            self.damaged += 1
            return
        place, outputs = found
        self.columns = self.columns or outputs.shape[1]
        if outputs.shape[1] != self.columns:
            seen = f"{outputs.shape[1]:,} instead of {self.columns:,}"
            raise IntegrityError("the device answers with another count of numbers an image", seen=seen, hint=HINT)
        bad = int((~np.isfinite(outputs)).any(axis=1).sum())
        if bad:
            self.not_finite[place] = bad
            return
        self.sink.save(*place, outputs)
        self.kept.append(place)
        self.spoken = 0
        self.tell()
        self.enough = self.job.watch is not None and self.job.watch(*place, outputs)

    def settle(self) -> None:
        """Raise IntegrityError unless every answer is there and finite."""
        if self.not_finite:
            seen = f"{sum(self.not_finite.values())} of {len(self.job.samples)} answers"
            hint = "check the model's weights and the preprocessing (--scale, --mean, --std)"
            raise IntegrityError("the model answers NaN or infinity", seen=seen, hint=hint)
        self.kept = self.sink.have()  # from the disk again: what counts is what is saved whole
        left = [] if self.enough else self.todo()
        if left:
            seen = f"{sum(stop - start for start, stop in left)} answers; damaged chunks: {self.damaged}"
            raise IntegrityError(
                "answers are missing or arrive damaged", seen=seen, hint="check the link and run it again"
            )


def _failure(process: Process, fault: dict[str, str] | None, job: Job) -> Exception:
    """The error that says why the agent did not finish. Raises LinkLost where only the link knows."""
    status = None
    try:
        status = process.wait()
    except LinkLost:
        if fault is None:
            raise
    complaint = last_line(process.stderr_tail())
    if fault is None:
        return stopped(status, complaint)
    return as_error(fault, job.model.name, complaint)

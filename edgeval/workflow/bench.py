"""Open a target: the host behind its card, what that says of itself, and how its numbers are marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import BenchError, CardError, InputError
from edgeval.records.artifact import Preprocess
from edgeval.records.foreign import check_trusted
from edgeval.records.predictions import Source
from edgeval.records.recording import read_recording
from edgeval.records.reporter import Progress, Reporter, Silent
from edgeval.records.target import Origin, Recorded, Target, load_target
from edgeval.run.host import Host, LocalHost
from edgeval.run.infer import RunResult, Sink
from edgeval.run.job import Job, Reading
from edgeval.run.micro import FIDELITY, is_micro
from edgeval.run.probe import probe
from edgeval.run.replay import ReplayHost
from edgeval.run.ssh import SshHost
from edgeval.tasks.samples import Samples
from edgeval.workflow.accelerator import CPU_FALLBACK, Accelerator, accelerate
from edgeval.workflow.boards import board_host, counter_of
from edgeval.workflow.described import described
from edgeval.workflow.standin import stand_in

ORIGINS: dict[str, Origin] = {"local": "desktop", "ssh": "device", "emulated": "emulated", "replay": "replayed"}


Counter = Callable[[Job, dict[str, Any], Reporter], int]
"""Instructions for one image, given the facts of the host."""


@dataclass(frozen=True)
class Bench:
    """An open target: its card, the host behind it, what the host says of itself, and how its numbers are marked.

    recording: what a replay target answers from; recorder: gets every finished table; counter: counts instructions,
    where that was asked for and can be done; accelerator: the card's delegate, tried; crew: identical boards
    that share the images, of which this is the first.
    """

    target: Target
    host: Host
    facts: dict[str, Any]
    name: str
    origin: Origin = "desktop"
    fidelity: str | None = None
    recording: Recorded | None = None
    recorder: Tape | None = None
    crew: Team | None = None
    counter: Counter | None = None
    accelerator: Accelerator | None = None


@dataclass(frozen=True)
class Answered:
    """A model's finished answers (N, C) float32 to N samples, how it was asked, and where they come from.

    compiled_from: the hash of the file from which the model was compiled for an accelerator.
    """

    preprocess: Preprocess
    reading: Reading
    samples: Samples
    outputs: NDArray[np.float32]
    source: Source
    compiled_from: str | None = None


class Tape(Protocol):
    """What records a bench."""

    def take(self, answered: Answered) -> None:
        """One finished table."""


class Team(Protocol):
    """Identical boards that share one data set."""

    benches: list[Bench]

    def infer(self, job: Job, sink: Sink, progress: Progress) -> RunResult:
        """Answer the images that `sink` lacks, all together."""

    def drop(self, bench: Bench, error: BenchError) -> None:
        """Go on without this board. Raises the error where it is the last one."""


class Place(Protocol):
    """Where something is to run: a target by name, or one that is open already."""

    @property
    def target(self) -> str: ...

    @property
    def emulate(self) -> bool: ...

    @property
    def opened(self) -> Bench | None: ...

    @property
    def instructions(self) -> bool: ...


def bench_of(place: Place, reporter: Reporter | None = None) -> AbstractContextManager[Bench]:
    """The open target of a place, or the target that it names, opened."""
    if place.opened:
        return nullcontext(place.opened)
    return open_bench(place.target, emulate=place.emulate, instructions=place.instructions, reporter=reporter)


@contextmanager
def open_bench(
    name: str, *, emulate: bool = False, instructions: bool = False, reporter: Reporter | None = None
) -> Iterator[Bench]:
    """The target called `name`, or with `emulate` its card's stand-in on this computer.

    With `instructions` they are counted where the target can. `reporter` hears of files that are sent, of other runs
    that are waited for, and of boards that are started.
    Raises UnreachableError (exit 4) where the device cannot be reached: never another machine in its place.
    """
    target = load_target(name)
    check_trusted(target, typed=target.explicit)
    origin, fidelity = ORIGINS[target.transport.type], None
    if is_micro(target):
        origin, fidelity = "emulated", own_fidelity(target)  # with or without --emulate
    elif emulate:
        target, fidelity = stand_in(target, reporter or Silent())
        origin = "emulated"
    elif target.transport.type == "replay":
        with _replay(target) as bench:
            yield bench
        return
    elif target.kind == "mcu":
        hint = 'set engine = "tflm" in [runtime], and type = "local" in [transport]'
        seen = f"{target.runtime.engine}, {target.transport.type}"
        raise CardError(f"{target.name}: only TFLM on this computer runs for a microcontroller", seen=seen, hint=hint)
    elif target.machine:
        fidelity = target.machine.faithful
    counter = counter_of(target) if instructions else None
    with open_host(target, reporter) as host:
        facts = probe(host)
        if not emulate and not is_micro(target):  # what stands in for a board is not that board
            facts = described(facts, target, reporter or Silent())
        target, accelerator = (target, None) if emulate else accelerate(target, host, facts)
        shown = CPU_FALLBACK if accelerator and accelerator.lacking else target.name
        if accelerator and not accelerator.lacking and origin == "desktop":
            origin = "device"  # a stick in this computer is no desktop
        yield Bench(target, host, facts, shown, origin, fidelity, counter=counter, accelerator=accelerator)


def open_host(target: Target, reporter: Reporter | None = None) -> AbstractContextManager[Host]:
    """The host that the card's [transport] leads to. Raises UnreachableError, InputError for a recording."""
    if target.transport.type == "local":
        own = target.transport.local_python
        return LocalHost() if own is None else LocalHost(python=own)
    if target.transport.type == "ssh":
        return SshHost(target, reporter)
    if target.transport.type == "emulated":
        return board_host(target, reporter or Silent())
    hint = f"edgeval run and edgeval compare take it: --target {target.name}"
    seen = target.transport.recording
    raise InputError(f"{target.name} is a recording: there is no device to reach", seen=seen, hint=hint)


@contextmanager
def _replay(target: Target) -> Iterator[Bench]:
    """A recording in the device's place. Raises UnreachableError where it is missing, IntegrityError if changed."""
    named, pinned = target.transport.recording, target.transport.sha256
    if named is None:
        raise CardError("a replay card names its recording", seen=target.path, hint='add recording = "FILE.npz"')
    found = read_recording(target.path.parent / named, pinned)
    head = found.header
    with ReplayHost(found) as host:
        yield Bench(target, host, probe(host), target.name, "replayed", head.fidelity, found.mark)


class Marked(Protocol):
    """Numbers, or the bench that they come from, with the marks of their origin."""

    @property
    def origin(self) -> Origin: ...

    @property
    def fidelity(self) -> str | None: ...

    @property
    def recording(self) -> Recorded | None: ...


def share_notes(source: Source) -> tuple[str, ...]:
    """Who answered how many of the images, and who could not, where several boards shared them."""
    shares = (source.host or {}).get("shares")
    if not shares:
        return ()
    parts = ", ".join(f"{name} {images:,}" for name, images in shares["images"].items())
    absent = tuple(f"the others took over from {said}" for said in shares["absent"])
    return (f"identical boards shared the images: {parts}", *absent)


def origin_notes(source: Marked) -> tuple[str, ...]:
    """What a reader must know of numbers that come from no device at hand."""
    if source.origin == "emulated":
        return (f"emulated on this computer, not run on a device; fidelity: {source.fidelity}",)
    if source.recording is None:
        return ()
    made = source.recording
    fidelity = f", fidelity: {source.fidelity}" if source.fidelity else ""
    when = f"{made.when[:16].replace('T', ' ')} UTC"
    return (f"replayed from a recording of {made.target} ({made.origin}{fidelity}) of {when}, {made.sha256[:12]}",)


def own_fidelity(target: Target) -> str:
    """How faithful this computer is to a microcontroller: what the card says, or what holds for TFLM's own kernels."""
    said = target.emulate
    return FIDELITY if said is None else said.faithful

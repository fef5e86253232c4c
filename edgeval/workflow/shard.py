"""One data set over several identical boards: each takes the next piece; what a board leaves undone goes to others."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import BenchError, EdgevalError, InputError, IntegrityError, UnreachableError
from edgeval.records.reporter import Progress, Reporter
from edgeval.records.target import load_target
from edgeval.run.infer import RunResult, Sink, infer, missing
from edgeval.run.job import Job
from edgeval.run.probe import TFLITE_ENGINES
from edgeval.workflow.bench import Bench, open_bench
from edgeval.workflow.fleet import Member, Opening, nobody

PIECES_A_BOARD = 4
SMALLEST = 50

Range = tuple[int, int]


def differences(benches: Sequence[Bench]) -> list[str]:
    """What tells these boards apart in a way that may change answers; nothing where they are identical."""
    first = _identity(benches[0])
    return [
        f"{name}: {_short(first[name])} on {benches[0].name}, {_short(value)} on {bench.name}"
        for bench in benches[1:]
        for name, value in _identity(bench).items()
        if value != first[name]
    ]


def check_identical(benches: Sequence[Bench]) -> None:
    """Raise InputError unless the boards would give the same answers."""
    found = differences(benches)
    if found:
        hint = "leave --shard away: then each board answers everything, and a comparison says where they disagree"
        raise InputError("only identical boards can share one data set", seen="; ".join(found), hint=hint)


def _identity(bench: Bench) -> dict[str, Any]:
    """Machine, processor, runtimes and how the card uses them."""
    facts, runtime = bench.facts, bench.target.runtime
    known = {name: facts.get(name) for name in ("machine", "pointer_bits", "cpu", "cpu_features", "runtimes")}
    delegate = runtime.delegate.model_dump() if runtime.delegate else None
    wanted = (runtime.engine, *runtime.accept)
    engine = next((name for name in wanted if name in TFLITE_ENGINES and name in facts["runtimes"]), None)
    asked = {"engine": engine, "kernels": runtime.kernels, "delegate": delegate}
    mark = bench.recording.sha256 if bench.recording else None
    return {**known, **asked, "origin": bench.origin, "fidelity": bench.fidelity, "recording": mark}


def _short(value: Any) -> str:
    """A value that a line has room for."""
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@dataclass
class Pool:
    """Pieces that wait; a board that finds none waits for those that are still out: they may come back."""

    waiting: deque[Range]
    out: int = 0
    stopped: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self) -> Range | None:
        """The next piece; None once all are done."""
        with self.changed:
            while not self.waiting and self.out and not self.stopped:
                self.changed.wait()
            if not self.waiting or self.stopped:
                return None
            self.out += 1
            return self.waiting.popleft()

    def give_back(self, left: Sequence[Range]) -> None:
        """A piece is no longer out; what is left of it waits again."""
        with self.changed:
            self.out -= 1
            self.waiting.extendleft(reversed(left))
            self.changed.notify_all()

    def stop(self) -> None:
        """Nobody gets another piece."""
        with self.changed:
            self.stopped = True
            self.changed.notify_all()


class Window:
    """A sink that shows one piece only: all the rest looks as if it were saved."""

    def __init__(self, sink: Sink, piece: Range, told: _Counter) -> None:
        self.sink, self.piece, self.told = sink, piece, told

    def have(self) -> list[Range]:
        """What is saved, and everything outside the piece."""
        start, stop = self.piece
        with self.told.lock:
            saved = [(a, b) for a, b in self.sink.have() if start <= a and b <= stop]
        outside = [place for place in ((0, start), (stop, self.told.count)) if place[0] < place[1]]
        return [*outside, *saved]

    def save(self, start: int, stop: int, outputs: NDArray[np.generic]) -> None:
        """Keep a chunk of the piece."""
        with self.told.lock:
            self.sink.save(start, stop, outputs)
            self.told.places.append((start, stop))


@dataclass
class Share:
    """What one board did: its results, how many images it answered, and the error that ended it."""

    bench: Bench
    results: list[RunResult] = field(default_factory=list)
    images: int = 0
    error: EdgevalError | None = None


class Crew:
    """Identical boards that share one data set; one that died gets no more work."""

    def __init__(self, benches: Sequence[Bench], absent: Sequence[str] = ()) -> None:
        self.benches, self.absent = list(benches), list(absent)

    def infer(self, job: Job, sink: Sink, progress: Progress) -> RunResult:
        """Answer the images that `sink` lacks, all boards together; the account of the slowest, with all shares.

        Raises the error of the last board where all of them die, IntegrityError where one answers wrongly.
        """
        count = len(job.samples) if job.upto is None else job.upto
        size = piece_size(count, len(self.benches))
        job = replace(job, chunk=min(job.chunk, size))
        whole = -(-size // job.chunk) * job.chunk  # pieces end where chunks do
        pool, told = Pool(deque(_pieces(sink, count, whole))), _Counter(count, sink, progress)
        shares = [Share(bench) for bench in self.benches]
        threads = [threading.Thread(target=_serve, args=(job, s, pool, sink, told), daemon=True) for s in shares]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            pool.stop()
            told.stopped = True
        self._count(shares)
        errors = [share.error for share in shares if share.error is not None]
        wrong = [error for error in errors if isinstance(error, IntegrityError)]
        if wrong or missing(sink.have(), count) or not any(share.results for share in shares):
            raise (wrong or errors[::-1] or [BenchError("no board answered", hint="run it again")])[0]
        images = {share.bench.name: share.images for share in shares}
        return replace(_joined(shares), shared={"images": images, "absent": list(self.absent)})

    def drop(self, bench: Bench, error: BenchError) -> None:
        """Go on without this board. Raises the error where it is the last one."""
        if len(self.benches) == 1:
            raise error
        self.benches = [one for one in self.benches if one is not bench]
        self.absent.append(f"{bench.name}: {error}")

    def _count(self, shares: Sequence[Share]) -> None:
        """Leave those that died out of what comes."""
        self.absent += [f"{share.bench.name}: {share.error}" for share in shares if share.error is not None]
        self.benches = [share.bench for share in shares if share.error is None] or self.benches


@contextmanager
def open_crew(names: Sequence[str], how: Opening, reporter: Reporter) -> Iterator[Bench]:
    """All targets as one that shares its images among them. Raises InputError unless they are identical."""
    with ExitStack() as stack:
        boards = []
        for name in names:
            board = Member(name, load_target(name).name)
            boards.append(board)
            try:
                opened = open_bench(name, emulate=how.emulate, instructions=how.instructions, reporter=reporter)
                board.bench = stack.enter_context(opened)
            except BenchError as error:
                board.error = error
                reporter.say(f"{board.name}: {error}; the others share the images")
        benches = [board.bench for board in boards if board.bench is not None]
        if not benches:
            raise nobody(boards)
        check_identical(benches)
        crew = Crew(benches, [f"{board.name}: {board.error}" for board in boards if board.error])
        yield replace(benches[0], name="+".join(board.name for board in boards), crew=crew)


def piece_size(count: int, boards: int) -> int:
    """Images a piece: a few pieces a board, so that the slower one holds nobody up."""
    return max(SMALLEST, -(-count // (PIECES_A_BOARD * boards)))


def _pieces(sink: Sink, count: int, size: int) -> list[Range]:
    """What is missing, cut on a grid; one empty piece where nothing is, to measure."""
    cuts: list[Range] = []
    for start, stop in missing(sink.have(), count):
        edges = [start, *range(start - start % size + size, stop, size), stop]
        cuts += pairwise(edges)
    return cuts or [(0, 0)]


def _serve(job: Job, share: Share, pool: Pool, sink: Sink, told: _Counter) -> None:
    """One board's thread: pieces until there are none, or until it dies."""
    count, bench = told.count, share.bench
    while (piece := pool.take()) is not None:
        window, left = Window(sink, piece, told), [piece]
        before = told.saved(piece)
        try:
            asked = replace(job, target=bench.target, latency=job.latency and not share.results)
            share.results.append(infer(bench.host, asked, window, progress=told, facts=bench.facts))
            left = []
        except EdgevalError as error:
            share.error = error
            left = missing(window.have(), count) or ([] if share.results else [piece])
        finally:
            share.images += told.saved(piece) - before
            pool.give_back(left)
        if share.error is not None:
            return


class _Counter:
    """Which images are saved, and the progress of all boards together."""

    def __init__(self, count: int, sink: Sink, progress: Progress) -> None:
        self.count, self.progress, self.stopped = count, progress, False
        self.places, self.lock = sink.have(), threading.RLock()

    def __call__(self, done: int, total: int) -> None:
        """One board has moved on."""
        if self.stopped:
            raise UnreachableError("interrupted", hint="run it again to go on")
        with self.lock:
            self.progress(self.saved((0, self.count)), self.count)

    def saved(self, piece: Range) -> int:
        """Images of a piece that are saved."""
        with self.lock:
            return sum(b - a for a, b in self.places if piece[0] <= a and b <= piece[1])


def _joined(shares: Sequence[Share]) -> RunResult:
    """One account of all boards: the slowest latency, the largest memory. Raises IntegrityError where they differ."""
    results = [result for share in shares for result in share.results]
    accounts = {str({key: value for key, value in result.hello.items() if key != "threads"}) for result in results}
    if len(accounts) > 1:
        raise IntegrityError("the boards ran the model in different ways", seen="; ".join(sorted(accounts))[:300])
    timed = [result for result in results if result.latency is not None]
    slowest = max(timed, key=lambda result: result.latency.p95 if result.latency else 0.0, default=results[0])
    memory = max((result.peak_memory_mb for result in results if result.peak_memory_mb), default=None)
    worst = next((result.health for result in results if result.health.get("failed")), slowest.health)
    return replace(slowest, peak_memory_mb=memory, health=worst)

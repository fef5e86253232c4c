"""Run jobs in child processes, a few at a time, with their progress, their errors and their noise kept apart."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

from edgeval.errors import BenchError, EdgevalError
from edgeval.records.reporter import Progress

Work = Callable[[Any, Any], Any]
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}  # any OpenMP; GNU's, which takes the second


@dataclass(frozen=True)
class Task:
    """One job for a child: `work(job, line)`, where a `Line` takes progress; prints go to `log`; one a `lane` runs."""

    work: Work
    job: Any
    progress: Progress
    log: Path | None = None
    name: str = ""
    lane: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a task: its position, and its result or its error; whether its process died without a word."""

    index: int
    result: Any = None
    error: EdgevalError | None = None
    died: bool = False


@dataclass(frozen=True)
class News:
    """What a task says while it runs: ("progress", (done, total)), or whatever its work sends."""

    index: int
    kind: str
    values: tuple[Any, ...]


class Line:
    """A child's line to its parent; called as progress, it tells that."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, done: int, total: int) -> None:
        self.send("progress", done, total)

    def send(self, kind: str, *values: Any) -> None:
        """Any other news."""
        self._connection.send((kind, *values))


class Pool(Protocol):
    """Where tasks run: on this machine, or on a cluster. device: what they train on; None: what this machine has."""

    @property
    def device(self) -> str | None: ...

    def run(self, tasks: Sequence[Task], workers: int) -> Iterator[Outcome]:
        """Run tasks in order, up to `workers` at once; yield outcomes as they finish."""

    def size(self) -> int:
        """Tasks that can run at once."""


class Local:
    """This machine: each task in a process of its own."""

    device: str | None = None

    def run(self, tasks: Sequence[Task], workers: int) -> Iterator[Outcome]:
        return run(tasks, workers)

    def size(self) -> int:
        return cores()


LOCAL: Pool = Local()


def run(tasks: Sequence[Task], workers: int) -> Iterator[Outcome]:
    """Run tasks in order in up to `workers` fresh processes; yield outcomes as they finish.

    An error ends its own task only. When the caller stops (Ctrl-C too), running children are ended.
    """
    with contextlib.closing(events(tasks, workers)) as heard:
        for event in heard:
            if isinstance(event, Outcome):
                yield event
            elif event.kind == "progress":
                tasks[event.index].progress(*event.values)


def events(tasks: Sequence[Task], workers: int) -> Generator[Outcome | News, None, None]:
    """The same with all that the tasks say on the way."""
    context = multiprocessing.get_context("spawn")
    queue, running = deque(enumerate(tasks)), dict[Connection, tuple[int, Any]]()
    try:
        while queue or running:
            while len(running) < max(1, workers) and (ahead := _next(queue, [tasks[i] for i, _ in running.values()])):
                index, task = ahead
                queue.remove(ahead)
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_child, args=(sender, task.work, task.job, task.log), daemon=True)
                with _sleeping_threads():
                    process.start()
                sender.close()
                running[receiver] = (index, process)
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                index, process = running[ready]
                event = _receive(ready, index, tasks[index], process)
                if isinstance(event, Outcome):
                    process.join()
                    del running[ready]
                yield event
    finally:
        for _, process in running.values():
            process.kill()
            process.join()


@contextlib.contextmanager
def _sleeping_threads() -> Iterator[None]:
    """Children that start here have OpenMP threads that spin for some microseconds and then sleep while they wait: with
    another process on a core, threads that only spin hold up the one they wait for, and training slows up to a
    hundredfold (tests/benchmarks/waiting.py). What the user says of waiting counts instead."""
    wanted = {} if any(name in os.environ for name in WAITING) else WAITING
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name in wanted:
            del os.environ[name]


def _next(queue: deque[tuple[int, Task]], running: Sequence[Task]) -> tuple[int, Task] | None:
    """The first task whose lane is free."""
    busy = {task.lane for task in running}
    return next((entry for entry in queue if entry[1].lane is None or entry[1].lane not in busy), None)


def _receive(connection: Connection, index: int, task: Task, process: Any) -> Outcome | News:
    """Read one message; an Outcome when the task has ended."""
    try:
        kind, *values = connection.recv()
    except (EOFError, ConnectionResetError):
        process.join()
        return Outcome(index, error=_died(process.exitcode, task.log), died=True)
    if kind == "result":
        return Outcome(index, result=values[0])
    return Outcome(index, error=values[0]) if kind == "error" else News(index, kind, tuple(values))


def _died(exitcode: int | None, log: Path | None) -> EdgevalError:
    """What to say of a child that ended without a word."""
    how = f"signal {-exitcode}" if exitcode is not None and exitcode < 0 else f"exit status {exitcode}"
    memory = "; it may have run out of memory, try --workers 1" if exitcode == -signal.SIGKILL else ""
    return BenchError(
        "a worker process died", seen=how, hint=f"its output: {log}{memory}" if log else f"run again{memory}"
    )


def _child(connection: Connection, work: Work, job: Any, log: Path | None) -> None:
    """The child's whole life. A parent that is gone, killed or not, ends it at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if log is not None:
        _redirect(log)
    try:
        message = ("result", work(job, Line(connection)))
    except EdgevalError as error:
        message = ("error", error)
    except (BrokenPipeError, KeyboardInterrupt):
        return
    except MemoryError:
        message = ("error", BenchError("a worker process ran out of memory", hint="try --workers 1"))
    except OSError as error:
        message = ("error", BenchError("a worker process met an error of the system", seen=error, hint=_remedy(error)))
    except Exception as error:  # the edge of a process: a library may raise anything
        where = f"; details in {log}" if log else ""
        traceback.print_exc()
        hint = f"this is unexpected{where}"
        message = ("error", BenchError("a worker process failed", seen=f"{type(error).__name__}: {error}", hint=hint))
    connection.send(message)
    connection.close()


def _remedy(error: OSError) -> str:
    """What helps: a full disk leaves what was saved before."""
    return "make room there, and run the same line to go on" if error.errno == errno.ENOSPC else ""


def _end_with_parent() -> None:
    """Wait until the parent is gone, then go too: nobody will read what this child makes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _redirect(log: Path) -> None:
    """Send standard output and error, those of C libraries too, to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(target, 1)
    os.dup2(target, 2)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(at_once: int) -> int:
    """Threads for each of so many jobs at once: an equal share of the cores, and no more than OMP_NUM_THREADS says."""
    share = max(1, cores() // max(1, at_once))
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(share, int(asked)) if asked.isdecimal() and int(asked) else share

"""A job packed for another machine, and done there in a results folder of its own that is mailed home as it grows."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from edgeval.cluster.scratch import scratch
from edgeval.errors import EdgevalError, IntegrityError
from edgeval.records.ladder import Ladder
from edgeval.records.reporter import Progress
from edgeval.store import Store
from edgeval.workflow import jobs
from edgeval.workflow.data import Need, lend

PREFIX = "edgeval-job-"
MAILED = ("artifacts", "predictions")
SHARD = re.compile(r"shard-\d{5,}\.npz")
NOTHING: Progress = lambda done, total: None  # noqa: E731
Files = dict[str, bytes]


class Movable(Protocol):
    """A job that can be done elsewhere: the ladder and results folder it belongs to, the data and files it needs.

    A simulation belongs to no ladder, and to the folder of its data set.
    """

    @property
    def ladder(self) -> Ladder | None: ...

    @property
    def root(self) -> Path: ...

    @property
    def needs(self) -> tuple[Need, ...]: ...

    @property
    def resumes(self) -> bool:
        """Whether a second try goes on from the files that the first one sent."""

    def luggage(self) -> list[Path]:
        """Files of the results folder that the job reads."""


@dataclass(frozen=True)
class Parcel:
    """Work and job (one, or several that are done together) with files by their path in the results folder.

    log: where its output goes there, None where that is not kept. code: the modules beside the card of a user's own
    network.
    """

    work: jobs.Work
    job: Any
    needs: tuple[Need, ...]
    root: str
    log: str | None
    files: Files
    code: Files


def pack(task: jobs.Task) -> Parcel:
    """A task with all that it needs from this machine, except the data."""
    first = movables(task.job)[0]
    paths = {path for job in movables(task.job) for path in job.luggage() if path.is_file()}
    files = {path.relative_to(first.root).as_posix(): path.read_bytes() for path in sorted(paths)}
    log = None if task.log is None else task.log.relative_to(first.root).as_posix()
    return Parcel(task.work, task.job, first.needs, str(first.root), log, files, _code(first.ladder))


def movables(job: Any) -> tuple[Movable, ...]:
    """The jobs in a task: one, or several."""
    return job if isinstance(job, tuple) else (job,)


def serve(parcel: Parcel, *data: Any) -> Iterator[Any]:
    """On a node: do the job in a fresh process; yields where, news, and at last its Outcome."""
    yield "where", socket.gethostname()
    with scratch(PREFIX) as folder:
        task = jobs.Task(_carried, (parcel, data, folder), NOTHING, folder / (parcel.log or "log"))
        with contextlib.closing(jobs.events([task], 1)) as heard:
            for event in heard:
                if isinstance(event, jobs.News):
                    yield (event.kind, *event.values)
                    continue
                if parcel.log is not None and (folder / parcel.log).is_file():
                    yield "files", {parcel.log: (folder / parcel.log).read_bytes()}, ()
                yield replace(event, error=_at_home(event.error, str(folder), parcel.root))


def receive(store: Store, files: Files, gone: tuple[str, ...]) -> None:
    """Write what was mailed into the results folder, cards after the files that they vouch for."""
    for name in sorted(files, key=lambda name: (name.endswith(".json"), name)):
        store.write(_inside(store.root, name), files[name])
    for name in gone:
        _inside(store.root, name).unlink(missing_ok=True)


def _inside(root: Path, name: str) -> Path:
    """The path of a mailed file. Raises IntegrityError for one that jobs have no business with."""
    parts = PurePosixPath(name).parts
    mailed = len(parts) > 1 and parts[0] in MAILED and ".." not in parts
    if not mailed and not SHARD.fullmatch(name):
        raise IntegrityError("a worker sent a file that belongs nowhere", seen=name, hint="look at the cluster's nodes")
    return root.joinpath(*parts)


def _carried(trip: tuple[Parcel, tuple[Any, ...], Path], line: jobs.Line) -> Any:
    """In the process on the node: unpack, work, and mail every file that was made or changed since the last news."""
    parcel, data, folder = trip
    for place, files in ((folder, parcel.files), (folder / "card", parcel.code)):
        for name, content in files.items():
            Store(folder).write(place / name, content)
    ladder = movables(parcel.job)[0].ladder
    for need, along in zip(parcel.needs, data, strict=True):
        assert ladder is not None
        lend(ladder, need, along)
    known = _state(folder, parcel.log)

    def mail() -> None:
        nonlocal known
        found = _state(folder, parcel.log)
        changed = {name: (folder / name).read_bytes() for name in found if found[name] != known.get(name)}
        gone = tuple(name for name in known if name not in found)
        if changed or gone:
            line.send("files", changed, gone)
        known = found

    def progress(done: int, total: int) -> None:
        mail()  # between two steps: the states of seeds trained together are of the same epoch
        line(done, total)

    try:
        return parcel.work(_moved(parcel.job, folder), progress)
    finally:
        mail()


def _moved(job: Any, folder: Path) -> Any:
    """The job with its results folder and card in another place."""
    if isinstance(job, tuple):
        return tuple(_moved(one, folder) for one in job)
    if job.ladder is None:
        return replace(job, root=folder)
    ladder = job.ladder.model_copy()
    ladder._path, ladder._explicit = folder / "card" / job.ladder.path.name, job.ladder.explicit
    return replace(job, root=folder, ladder=ladder)


def _state(folder: Path, log: str | None) -> dict[str, tuple[int, ...]]:
    """Finished files that are mailed, each with what changes when it is written again."""
    found: dict[str, tuple[int, ...]] = {}
    for path in [*folder.glob("artifacts/*/*/*"), *folder.glob("predictions/*.npz"), *folder.glob("shard-*.npz")]:
        name = path.relative_to(folder).as_posix()
        if not path.name.startswith(".") and name != log and path.is_file():
            about = path.stat()
            found[name] = (about.st_ino, about.st_mtime_ns, about.st_size)
    return found


def _code(ladder: Ladder | None) -> Files:
    """The Python modules beside the card whose network is the user's own."""
    if ladder is None or ladder.net.factory is None:
        return {}
    folder, top = ladder.path.parent, ladder.net.factory.partition(":")[0].partition(".")[0]
    paths = sorted([*folder.glob("*.py"), *folder.glob(f"{top}/**/*.py")])
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _at_home(error: EdgevalError | None, folder: str, root: str) -> EdgevalError | None:
    """The error with the user's results folder in place of the node's."""
    if error is None:
        return None
    seen = None if error.seen is None else error.seen.replace(folder, root)
    return type(error)(error.what.replace(folder, root), seen=seen, hint=error.hint.replace(folder, root))

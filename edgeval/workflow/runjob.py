"""Run a ladder's exported files on the nodes of a cluster, each with the desktop runtime there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from edgeval.errors import InputError
from edgeval.records.artifact import Format, file_name
from edgeval.records.cards import shelves
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.predictions import Predictions, Source
from edgeval.records.reporter import Progress, Reporter, Silent
from edgeval.records.target import Target, load_target
from edgeval.records.values import Values
from edgeval.store import Store, file_safe
from edgeval.workflow import jobs
from edgeval.workflow.artifact import rung_model
from edgeval.workflow.bench import open_bench
from edgeval.workflow.data import Need, check_classifies, load_split
from edgeval.workflow.predict import Ran, RunOptions, asked_rungs
from edgeval.workflow.remote import pool_of
from edgeval.workflow.run import run_model

DESKTOP = "desktop"
SHARED = "measured beside other jobs of a cluster"
Table = TypeVar("Table", Predictions, Values)


@dataclass(frozen=True)
class RunJob:
    """One rung, seed and format, as a node gets it."""

    ladder: Ladder
    rung: Rung
    seed: int
    format: Format
    root: Path

    @property
    def folder(self) -> Path:
        return Store(self.root).rung(self.ladder.name, self.rung.name, self.seed)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (("test", None),)

    @property
    def resumes(self) -> bool:
        return False

    def luggage(self) -> list[Path]:
        """The file with its cards, and tables of it that are there: what is the same work is not done again."""
        tables = (self.root / "predictions").glob(f"{file_safe(f'{self.name}-{self.format}')}-*.npz")
        return [*self.folder.glob(f"{file_name(self.format)}*"), *self.folder.glob("checkpoint.*"), *tables]

    @property
    def name(self) -> str:
        return f"{self.ladder.name}:{self.rung.name}"


class Quiet(Silent):
    """A reporter for a node: images that are answered are progress, all else is not said."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def bar(self, label: str, unit: str = "images") -> Progress:
        return self._progress


def run_on(pool: jobs.Pool, ladder: Ladder, options: RunOptions, store: Store, reporter: Reporter) -> Iterator[Ran]:
    """Each asked rung, seed and format on some node; yields tables as they are finished."""
    check_classifies(ladder)
    for job, (table, place) in dealt(asked_jobs(ladder, options, store), run_rung, pool, reporter):
        yield Ran(table, store.root / place, job.rung, job.seed)


def asked_jobs(ladder: Ladder, options: RunOptions, store: Store) -> list[RunJob]:
    """What is asked for, all of it exported. Raises InputError for any target but the desktop."""
    target = desktop(options.target)
    formats = options.formats or (target.model.format,)
    asked = [
        RunJob(ladder, rung, seed, fmt, store.root)
        for rung, seed in asked_rungs(ladder, options, store)
        for fmt in formats
    ]
    for job in asked:
        rung_model(store, ladder, job.rung, job.seed, job.format)  # what is missing is said before anything runs
    store.open()
    return asked


def dealt(
    asked: Sequence[RunJob], work: jobs.Work, pool: jobs.Pool, reporter: Reporter
) -> Iterator[tuple[RunJob, Any]]:
    """Each job with what it gave, as they are finished. Errors come after the others."""
    errors = []
    for outcome in pool.run([_task(job, work, reporter) for job in asked], pool.size()):
        if outcome.error:
            errors.append(outcome.error)
        else:
            yield asked[outcome.index], outcome.result
    if errors:
        raise errors[0]


def run_there(address: str, ladder: Ladder, options: RunOptions, store: Store, reporter: Reporter) -> None:
    """The same on the cluster at an address; the tables lie in the results folder afterwards, as if they ran here."""
    desktop(options.target)
    with pool_of(address, "run", reporter) as pool:
        for ran in run_on(pool, ladder, options, store, reporter):
            reporter.say(f"{ran.table.source.name} seed {ran.seed} {ran.table.source.format} is done")


def desktop(name: str) -> Target:
    """The card of the desktop. Raises InputError for any other target, and for a desktop with a card of its own."""
    target = load_target(name)
    if target.name != DESKTOP or target.path.parent != shelves("devices")[-1]:
        hint = "leave --cluster away: a device is reached from this machine"
        raise InputError("only the target desktop runs on a cluster", seen=name, hint=hint)
    return target


def _task(job: RunJob, work: jobs.Work, reporter: Reporter) -> jobs.Task:
    """The job with a progress line of its own."""
    name = f"run {job.rung.name} seed {job.seed} {job.format}"
    return jobs.Task(work, job, reporter.bar(name), job.folder / f"run-{job.format}.log", name)


def run_rung(job: RunJob, progress: Progress) -> tuple[Predictions, str]:
    """In a process on a node: the table, and where in the results folder it lies. Its latencies are marked."""
    store = Store(job.root)
    before = {path.name for path in (job.root / "predictions").glob("*.npz")}
    with open_bench(DESKTOP) as bench:
        model = rung_model(store, job.ladder, job.rung, job.seed, job.format)
        samples = load_split(job.ladder, "test", lambda done, total: None)
        found, path = run_model(model, samples, bench, store, Quiet(progress))
    if path.name not in before:
        store.write_table(path, marked(store.read_table(path)))
        found = marked(found)
    return found, path.relative_to(job.root).as_posix()


def marked(table: Table) -> Table:
    """The table with the mark that its latencies are worth nothing, which the gate heeds."""
    source: Source = table.source
    host = dict(source.host or {})
    watched: dict[str, Any] = host.get("monitor") or {}
    host["monitor"] = watched | {"failed": [*watched.get("failed", ()), SHARED]}
    return table.with_source(host=host, notes=(*source.notes, f"latencies are not to be trusted: {SHARED}"))

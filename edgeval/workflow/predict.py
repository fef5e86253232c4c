"""Run the exported rungs of a ladder on a target and keep every table of predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeval.errors import MissingError
from edgeval.records.artifact import Format
from edgeval.records.fleet import DeviceState
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.predictions import Predictions
from edgeval.records.reporter import Reporter
from edgeval.store import Store
from edgeval.workflow.artifact import rung_model
from edgeval.workflow.bench import Bench, bench_of
from edgeval.workflow.data import load_split
from edgeval.workflow.fleet import Opening, muster
from edgeval.workflow.run import run_model


@dataclass(frozen=True)
class RunOptions:
    """What is run where."""

    target: str = "desktop"
    emulate: bool = False
    rungs: tuple[str, ...] = ()
    formats: tuple[Format, ...] = ()
    seeds: tuple[int, ...] = ()
    opened: Bench | None = None
    instructions: bool = False


@dataclass(frozen=True)
class Ran:
    """One finished table, and the rung and seed that answered."""

    table: Predictions
    path: Path
    rung: Rung
    seed: int


def run_ladder(ladder: Ladder, options: RunOptions, store: Store, reporter: Reporter) -> Iterator[Ran]:
    """Each asked rung, seed and format on the target; yields tables as they are finished."""
    for name in options.rungs:
        ladder.rung(name)
    with bench_of(options, reporter) as bench:
        todo = asked_rungs(ladder, options, store)
        samples = load_split(ladder, "test", reporter.bar("test data", ""))
        for rung, seed in todo:
            for fmt in options.formats or (bench.target.model.format,):
                profile = bench.target.profile(fmt)
                model = rung_model(store, ladder, rung, seed, fmt, profile=profile)
                table, path = run_model(model, samples, bench, store, reporter)
                yield Ran(table, path, rung, seed)


def run_fleet(
    ladder: Ladder, options: RunOptions, names: Sequence[str], store: Store, tell: Callable[[Ran], None], told: Reporter
) -> list[DeviceState]:
    """The same on several targets at once; `tell` hears of each table, from any thread. What became of each target."""
    for name in options.rungs:
        ladder.rung(name)
    asked_rungs(ladder, options, store)

    def work(bench: Bench, reporter: Reporter) -> None:
        for ran in run_ladder(ladder, replace(options, opened=bench), store, reporter):
            tell(ran)

    boards = muster(names, work, told, Opening(options.emulate, options.instructions))
    return [board.state for board in boards]


def asked_rungs(ladder: Ladder, options: RunOptions, store: Store) -> list[tuple[Rung, int]]:
    """Asked rungs with their seeds; without --rung, those that are in the results folder."""
    rungs = [ladder.rung(name) for name in options.rungs] or list(ladder.rungs)
    found = [(rung, seed) for rung in rungs for seed in options.seeds or _seeds(ladder, rung, options, store)]
    if not found:
        hint = f"run: edgeval train {ladder.typed} && edgeval export {ladder.typed}{store.flag}"
        raise MissingError(
            f"{ladder.name} has nothing in {store.root}", seen=", ".join(options.rungs) or "no rung", hint=hint
        )
    return found


def _seeds(ladder: Ladder, rung: Rung, options: RunOptions, store: Store) -> list[int]:
    """Seeds of a rung in the results folder; 0 for one that was asked for by name, so that its absence is noticed."""
    return store.seeds(ladder.name, rung.name) or ([0] if options.rungs else [])

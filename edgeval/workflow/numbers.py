"""Run models that answer with numbers on a target: exported rungs of a ladder, or any file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from edgeval.errors import InputError, IntegrityError
from edgeval.records.fleet import DeviceState
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.reporter import Reporter
from edgeval.records.values import Values, encode_values
from edgeval.store import Store
from edgeval.tasks.quantities import Quantities
from edgeval.workflow.artifact import Model, model_identity, rung_model
from edgeval.workflow.bench import Bench, bench_of
from edgeval.workflow.finished import finished_elsewhere
from edgeval.workflow.fleet import Opening, muster
from edgeval.workflow.measured import load_part
from edgeval.workflow.predict import RunOptions, asked_rungs
from edgeval.workflow.run import accepted, answers, fitted, job_of, leaks, marks, ran_on, source_of, work_name
from edgeval.workflow.torch_numbers import kept_values


@dataclass(frozen=True)
class RanNumbers:
    """One finished table of numbers, and the rung and seed that answered."""

    table: Values
    rung: Rung
    seed: int


Tell = Callable[[RanNumbers], None]


def run_numbers(ladder: Ladder, options: RunOptions, store: Store, reporter: Reporter) -> Iterator[RanNumbers]:
    """Each asked rung, seed and format on the target; yields tables as they are finished."""
    for name in options.rungs:
        ladder.rung(name)
    with bench_of(options, reporter) as bench:
        todo, data = asked_rungs(ladder, options, store), load_part(ladder, "test")
        for rung, seed in todo:
            for fmt in options.formats or (bench.target.model.format,):
                model = rung_model(store, ladder, rung, seed, fmt, profile=bench.target.profile(fmt))
                yield RanNumbers(run_values(model, data, bench, store, reporter), rung, seed)


def run_numbers_fleet(
    ladder: Ladder, options: RunOptions, names: Sequence[str], store: Store, tell: Tell, told: Reporter
) -> list[DeviceState]:
    """The same on several targets at once; `tell` hears of each table, from any thread. What became of each target."""
    for name in options.rungs:
        ladder.rung(name)
    asked_rungs(ladder, options, store)

    def work(bench: Bench, reporter: Reporter) -> None:
        for ran in run_numbers(ladder, replace(options, opened=bench), store, reporter):
            tell(ran)

    return [board.state for board in muster(names, work, told, Opening(options.emulate, options.instructions))]


def run_values(model: Model, data: Quantities, bench: Bench, store: Store, reporter: Reporter) -> Values:
    """The model's numbers on that bench; from the results folder if they are there already."""
    model = fitted(model, bench, store, reporter)
    sha256 = model_identity(model.path)
    name = work_name(model, sha256, bench, data.sha256, data.output_names)
    table = store.table(name)
    if not table.exists():
        with finished_elsewhere(table):
            outputs, result = answers(model, data.samples, bench, store, reporter, name)
            if outputs.shape[1] != data.targets.shape[1]:
                seen = f"{outputs.shape[1]} outputs, {data.targets.shape[1]} numbers a sample"
                raise InputError(f"{model.name} does not answer for the numbers of the data", seen=seen)
            source = source_of(model, data.sha256, result, sha256).model_copy(update=ran_on(bench, result))
            made = Values(data.targets, outputs.astype("float64"), data.output_names, source, data.samples.ids)
            store.write(table, encode_values(made))
            store.chunks(name).clear()
    found = kept_values(table)
    if found.source.sha256 != sha256 or len(found) != len(data):
        raise IntegrityError(f"{table} does not belong to this model and data", hint="remove it and run again")
    if bench.counter is not None and found.source.instructions is None:
        job = job_of(model, data.samples, bench)
        found = found.with_source(instructions=bench.counter(job, bench.facts, reporter))
        store.write(table, encode_values(found))
    accepted(model, bench, found.source)
    return found.with_source(**marks(model, bench, found.source), **leaks(model, data.samples, found.source))

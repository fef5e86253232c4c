"""The whole study of regressors, from simulated magnets to figures: what is finished is kept, and never done again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgeval.compare.deep.whole import analyse
from edgeval.errors import BenchError, DataError, EdgevalError, InputError, IntegrityError, ModelError
from edgeval.records.artifact import Format
from edgeval.records.deep_regression import DeepRegression
from edgeval.records.ladder import Ladder, Rung, load_ladder
from edgeval.records.papers import deep_regression
from edgeval.records.regressors import Regressors, read_regressors
from edgeval.records.reporter import Reporter
from edgeval.records.target import load_target
from edgeval.store import Store
from edgeval.tasks.cri3 import holds
from edgeval.workflow import jobs
from edgeval.workflow.deep_alike import check_parts
from edgeval.workflow.deep_answers import KeptErrors
from edgeval.workflow.export import ExportOptions, export
from edgeval.workflow.fit import fit
from edgeval.workflow.measured import magnets_of
from edgeval.workflow.numbers import run_numbers
from edgeval.workflow.predict import RunOptions
from edgeval.workflow.simulate import usual_set
from edgeval.workflow.study_report import check_folder
from edgeval.workflow.study_work import Faults, Part, exports, parts_of, told
from edgeval.workflow.train import TrainOptions

NAME = "deep-regression"


@dataclass(frozen=True)
class DeepOptions:
    """What is trained, and where it runs; no target: as trained only."""

    train: TrainOptions
    ladders: tuple[str, ...] = deep_regression.PAPER
    targets: tuple[str, ...] = ("desktop",)
    formats: tuple[Format, ...] = ()


@dataclass(frozen=True)
class Done:
    """What was found; and what stopped a network or a target, the bench's faults first."""

    found: DeepRegression
    fault: EdgevalError | None


def folder_of(store: Store) -> Path:
    """Where the study's files lie."""
    return store.root / "studies" / NAME


def deep_study(options: DeepOptions, store: Store, reporter: Reporter, pool: jobs.Pool = jobs.LOCAL) -> Done:
    """Simulate, train, export, run and analyse what is not done yet. A network that diverges, or whose export differs
    from it or is refused by its runtime, and a target that is lost leave the others alone."""
    for name in options.targets:
        load_target(name)  # a name that is no target's is told before anything is trained
    parts = parts_of(_ladders(options), options.train)
    store.open()
    check_folder(folder_of(store), "--runs DIR")
    kept, faults = KeptErrors(store, folder_of(store)), Faults(reporter)
    for part in parts:
        magnets(part, reporter)
        kept.suits(part.ladder)
    check_parts(parts)
    reporter.say(told(parts, store))
    for part in parts:
        try:
            fit(part.ladder, part.options, store, reporter, pool, partial(_finished, kept, part.ladder))
        except IntegrityError as error:
            faults.failed(part.ladder.name, error)
        for rung in part.rungs:
            _rung(part, rung, (options, kept, faults), reporter, pool)
    _baselines(parts, kept, reporter)
    if kept.found is None:
        raise faults.worst or DataError("no network has finished", hint=f"run: edgeval study {NAME}")
    return Done(analyse(asked(kept.found, parts), name=NAME), faults.worst)


def study_of_errors(path: Path) -> DeepRegression:
    """The analysis of a file of errors that a study kept. Raises DataError."""
    return analyse(read_regressors(path), name=NAME)


def _ladders(options: DeepOptions) -> list[Ladder]:
    """The ladders, all of which must learn numbers. Raises InputError."""
    ladders = [load_ladder(name) for name in options.ladders]
    for ladder in ladders:
        if ladder.regression is None:
            hint = "name ladders with a table [regression]"
            raise InputError(f"{NAME} is a study of networks that learn numbers", seen=ladder.name, hint=hint)
    return ladders


def magnets(part: Part, reporter: Reporter) -> None:
    """Simulate what the asked rungs lack, by the usual plan; other data are the user's to make."""
    ladder, task = part.ladder, part.ladder.task
    if task.name is None or not task.simulated:
        return
    count = task.test_images + task.validation_images + max(rung.images or 0 for rung in part.rungs)
    if not holds(magnets_of(ladder), count):
        usual_set(count, part.options.workers, reporter)


def asked(found: Regressors, parts: Sequence[Part]) -> Regressors:
    """Only the asked rungs and seeds, and the baselines."""
    wanted = {(part.ladder.name, rung.name, seed) for part in parts for rung in part.rungs for seed in part.seeds}
    return found.only([k for k, m in enumerate(found.models) if m.network in wanted or not m.params])


def _finished(kept: KeptErrors, ladder: Ladder, rung: Rung, seed: int) -> None:
    """Keep a network's answers as soon as it is trained; what is wrong with them is told when its turn comes."""
    with suppress(IntegrityError):
        kept.torch(ladder, rung, seed)


def _rung(
    part: Part, rung: Rung, work: tuple[DeepOptions, KeptErrors, Faults], reporter: Reporter, pool: jobs.Pool
) -> None:
    """Torch's answers of the trained seeds of one rung, then its exports on each target."""
    (options, kept, faults), ladder = work, part.ladder
    store, targets = kept.store, faults.answering(options.targets)
    seeds = tuple(_answering(part, rung, kept, faults))
    if not seeds or not targets:
        return
    try:
        for profile, formats in exports(targets, options.formats).items():
            wanted = ExportOptions((rung.name,), seeds, formats, profile, workers=part.options.workers)
            export(ladder, wanted, store, reporter, pool)
    except (IntegrityError, ModelError) as error:
        faults.failed(f"{ladder.name}:{rung.name}", error)
        return
    for target in targets:
        try:
            wanted_runs = RunOptions(target, rungs=(rung.name,), seeds=seeds, formats=options.formats)
            for ran in run_numbers(ladder, wanted_runs, store, reporter):
                kept.add(ran.table, ladder, rung, ran.seed)
        except BenchError as error:
            faults.failed(target, error, target=target)
        except (IntegrityError, ModelError) as error:
            faults.failed(f"{ladder.name}:{rung.name} on {target}", error)


def _answering(part: Part, rung: Rung, kept: KeptErrors, faults: Faults) -> Iterator[int]:
    """The trained seeds whose answers are kept."""
    for seed in part.seeds:
        if kept.store.checkpoint(kept.store.rung(part.ladder.name, rung.name, seed)):
            try:
                kept.torch(part.ladder, rung, seed)
            except IntegrityError as error:
                faults.failed(f"{part.ladder.name}:{rung.name}", error)
            else:
                yield seed


def _baselines(parts: Sequence[Part], kept: KeptErrors, reporter: Reporter) -> None:
    """The baselines of every number of training images that has a network."""
    sizes = {rung.images: part.ladder for part in parts for rung in part.rungs if rung.images}
    there = {m.images for m in (kept.found.models if kept.found else ())}
    for images in sorted(there & set(sizes)):
        kept.baselines(sizes[images], images, reporter.bar(f"kernel ridge n{images}"))

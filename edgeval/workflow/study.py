"""A whole study from training to figures: what is finished is kept at once, and never done again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from edgeval.compare.study.published import published_study
from edgeval.compare.study.whole import analyse
from edgeval.errors import BenchError, DataError, EdgevalError, IntegrityError, ModelError
from edgeval.records.answers import Answers, read_answers
from edgeval.records.artifact import Format
from edgeval.records.ladder import Rung, load_ladder
from edgeval.records.papers import tiny_regime
from edgeval.records.reporter import Reporter
from edgeval.records.study import Study
from edgeval.records.target import load_target
from edgeval.store import Store
from edgeval.workflow import jobs
from edgeval.workflow.export import ExportOptions, export
from edgeval.workflow.predict import RunOptions, run_ladder
from edgeval.workflow.study_answers import Kept
from edgeval.workflow.study_report import check_folder
from edgeval.workflow.study_work import Faults, Part, exports, parts_of, told
from edgeval.workflow.train import TrainOptions, train, with_recipe

NAME = "tiny-regime"


@dataclass(frozen=True)
class StudyOptions:
    """What is trained, and where it runs; no target: as trained only."""

    train: TrainOptions
    ladders: tuple[str, ...] = tiny_regime.LADDERS
    targets: tuple[str, ...] = ("desktop",)
    formats: tuple[Format, ...] = ()
    earlier: Path | None = None


@dataclass(frozen=True)
class Done:
    """What was found; and what stopped a network or a target, the bench's faults first."""

    found: Study
    fault: EdgevalError | None


@dataclass(frozen=True)
class Work:
    """What every rung needs."""

    options: StudyOptions
    kept: Kept
    pool: jobs.Pool
    faults: Faults
    reporter: Reporter


def folder_of(store: Store) -> Path:
    """Where a study's files lie."""
    return store.root / "studies" / NAME


def study(options: StudyOptions, store: Store, reporter: Reporter, pool: jobs.Pool = jobs.LOCAL) -> Done:
    """Train, export, run and analyse what is not done yet. A network that diverges, or whose export differs from it
    or is refused by its runtime, and a target that is lost leave the others alone."""
    for name in options.targets:
        load_target(name)  # a name that is no target's is told before anything is trained
    store.open()
    check_folder(folder_of(store), "--runs DIR")
    kept = Kept(store, folder_of(store), options.earlier)
    work = Work(options, kept, pool, Faults(reporter), reporter)
    ladders = [with_recipe(load_ladder(name), options.train) for name in options.ladders]
    parts = parts_of(ladders, replace(options.train, epochs=None, batch=None))
    parts = parts if options.targets else [spared(part, kept) for part in parts]
    reporter.say(told(parts, store))
    for part in parts:
        try:
            train(part.ladder, part.options, store, reporter, pool, partial(kept.torch, part.ladder))
        except IntegrityError as error:
            work.faults.failed(part.ladder.name, error)
        for rung in part.rungs:
            _rung(part, rung, work)
    fault = work.faults.worst
    if fault and kept.answers is None:
        raise fault
    return Done(analysed(kept.answers, parts), fault)


def study_of_file(path: Path) -> Study:
    """The analysis of a file of answers that a study kept. Raises DataError."""
    return analysed(read_answers(path))


def study_of_paper() -> Study:
    """The analysis of the paper's published figures."""
    return published_study()


def analysed(answers: Answers | None, parts: list[Part] | None = None) -> Study:
    """The analysis of kept answers; of the asked rungs and seeds only, where parts are given. Raises DataError."""
    if answers is None:
        raise DataError("no network has finished", hint=f"run: edgeval study {NAME}")
    if parts is not None:
        asked = {
            (part.ladder.name, rung.name, seed, part.ladder.train.protocol)
            for part in parts
            for rung in part.rungs
            for seed in part.seeds
        }
        wanted = [k for k, m in enumerate(answers.models) if (m.ladder, m.rung, m.seed, m.protocol) in asked]
        answers = answers.only(wanted)
    return analyse(answers, name=NAME)


def spared(part: Part, kept: Kept) -> Part:
    """The part without training what answered already: as trained, the answers are all that is needed."""
    return replace(part, options=replace(part.options, known=kept.known(part.ladder)))


def _rung(part: Part, rung: Rung, work: Work) -> None:
    """Torch's answers of the trained seeds of one rung, then its exports on each target."""
    options, kept, ladder, store = work.options, work.kept, part.ladder, work.kept.store
    seeds = tuple(s for s in part.seeds if store.checkpoint(store.rung(ladder.name, rung.name, s)))
    for seed in seeds:
        kept.torch(ladder, rung, seed)
    targets = work.faults.answering(work.options.targets)
    if not seeds or not targets:
        return
    try:
        for profile, formats in exports(targets, options.formats).items():
            asked = ExportOptions((rung.name,), seeds, formats, profile, workers=part.options.workers)
            export(ladder, asked, store, work.reporter, work.pool)
    except (IntegrityError, ModelError) as error:
        work.faults.failed(f"{ladder.name}:{rung.name}", error)
        return
    for target in targets:
        try:
            for ran in run_ladder(ladder, _on(target, rung, seeds, options.formats), store, work.reporter):
                kept.add(ran.table, ladder.name, rung.name, ran.seed, ladder.train.protocol)
        except BenchError as error:
            work.faults.failed(target, error, target=target)
        except (IntegrityError, ModelError) as error:
            work.faults.failed(f"{ladder.name}:{rung.name} on {target}", error)


def _on(target: str, rung: Rung, seeds: tuple[int, ...], formats: tuple[Format, ...]) -> RunOptions:
    return RunOptions(target, rungs=(rung.name,), seeds=seeds, formats=formats)

"""A whole study from training to figures: what is finished is kept at once, and never done again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from edgeval.compare.study.published import published_study
from edgeval.compare.study.whole import analyse
from edgeval.errors import BenchError, CardError, DataError, EdgevalError, IntegrityError
from edgeval.records.answers import Answers, read_answers
from edgeval.records.artifact import Format
from edgeval.records.ladder import Ladder, Rung, load_ladder
from edgeval.records.papers import tiny_regime
from edgeval.records.reporter import Reporter
from edgeval.records.study import Study
from edgeval.records.target import load_target
from edgeval.store import Store
from edgeval.workflow import jobs
from edgeval.workflow.export import ExportOptions, export
from edgeval.workflow.predict import RunOptions, run_ladder
from edgeval.workflow.study_answers import Kept
from edgeval.workflow.study_work import Faults, exports
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
class Part:
    """One ladder's share of the study."""

    ladder: Ladder
    options: TrainOptions

    @property
    def seeds(self) -> tuple[int, ...]:
        return self.options.seeds or self.ladder.train.seeds

    @property
    def rungs(self) -> list[Rung]:
        return [self.ladder.rung(name) for name in self.options.rungs] or list(self.ladder.rungs)


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
    """Train, export, run and analyse what is not done yet. A network that diverges, or whose export differs from it,
    and a target that is lost leave the others alone."""
    for name in options.targets:
        load_target(name)  # a name that is no target's is told before anything is trained
    store.open()
    kept = Kept(store, folder_of(store), options.earlier)
    work = Work(options, kept, pool, Faults(reporter), reporter)
    parts = [part if options.targets else spared(part, kept) for part in parts_of(options)]
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


def parts_of(options: StudyOptions) -> Iterator[Part]:
    """Each ladder with the asked rungs that it has. Raises CardError for a rung that no ladder has."""
    ladders = [with_recipe(load_ladder(name), options.train) for name in options.ladders]
    asked = options.train.rungs
    mine = {ladder.name: tuple(name for name in asked if _has(ladder, name)) for ladder in ladders}
    lost = [name for name in asked if not any(name in found for found in mine.values())]
    if lost:
        choices = ", ".join(rung.name for ladder in ladders for rung in ladder.rungs)
        raise CardError("no ladder of the study has such a rung", seen=lost[0], hint=f"choose from {choices}")
    for ladder in ladders:
        if mine[ladder.name] or not asked:
            yield Part(ladder, replace(options.train, rungs=mine[ladder.name], epochs=None, batch=None))


def spared(part: Part, kept: Kept) -> Part:
    """The part without training what answered already: as trained, the answers are all that is needed."""
    return replace(part, options=replace(part.options, known=kept.known(part.ladder)))


def _has(ladder: Ladder, name: str) -> bool:
    """Whether a rung of this ladder is meant: c4 is ScaleCNN's, w0.25 MobileNetV2's."""
    if name[:1].isalpha() and not ladder.rungs[0].name.startswith(name[:1]):
        return False
    try:
        return bool(ladder.rung(name))
    except CardError:
        return False


def told(parts: list[Part], store: Store) -> str:
    """How much there is to do."""
    all_of = [(part, rung, seed) for part in parts for rung in part.rungs for seed in part.seeds]
    there = sum(
        (rung.name, seed) in part.options.known
        or (store.rung(part.ladder.name, rung.name, seed) / "checkpoint.json").exists()
        for part, rung, seed in all_of
    )
    protocols = ", ".join(dict.fromkeys(part.ladder.train.protocol for part in parts))
    done = f", {there} of them trained already" if there else ""
    count = f"{len(all_of)} network{'s' * (len(all_of) != 1)}"
    return f'{count}, protocol "{protocols}"{done}; stop at any time and run the same line to go on'


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
    except IntegrityError as error:
        work.faults.failed(f"{ladder.name}:{rung.name}", error)
        return
    for target in targets:
        try:
            for ran in run_ladder(ladder, _on(target, rung, seeds, options.formats), store, work.reporter):
                kept.add(ran.table, ladder.name, rung.name, ran.seed, ladder.train.protocol)
        except BenchError as error:
            work.faults.failed(target, error, target=target)


def _on(target: str, rung: Rung, seeds: tuple[int, ...], formats: tuple[Format, ...]) -> RunOptions:
    return RunOptions(target, rungs=(rung.name,), seeds=seeds, formats=formats)

"""Which kind of operator costs what in int8: one exported rung in many mixtures, each run on the desktop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from edgeval.compare.operators import A16W8, FLOAT, INT8, W8, Answered, Kind, Limit, costs, from_classes, from_values
from edgeval.compare.operators import recommend as recommended
from edgeval.errors import MissingError
from edgeval.records.artifact import Format
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.operators import Measure, OperatorReport
from edgeval.records.reporter import Reporter
from edgeval.store import Store, file_safe, file_sha256, key
from edgeval.workflow.artifact import Model, rung_model
from edgeval.workflow.bench import Bench, open_bench
from edgeval.workflow.compare import DESKTOP
from edgeval.workflow.data import load_split
from edgeval.workflow.measured import load_part
from edgeval.workflow.mixtures import Mixture, MixturesJob, write_mixtures
from edgeval.workflow.numbers import run_values
from edgeval.workflow.run import NO_16X8, run_model

START: Format = "tflite-fp32"
ALLOWED: dict[Measure, float] = {"mse_ratio": 0.05, "top1_drop": 0.005}
FORM = 1  # of the mixtures: raised when the same inputs give other files


@dataclass(frozen=True)
class Question:
    """Which rung and seed, and what the damage may be (a fraction; None for the default)."""

    ladder: Ladder
    rung: str | None = None
    seed: int | None = None
    allowed: float | None = None
    calibration_images: int | None = None


def operators(question: Question, store: Store, reporter: Reporter) -> OperatorReport:
    """Every mixture made, run on the test images and set beside the float file; kept in the results folder.

    Raises MissingError where the rung is not exported to tflite-fp32.
    """
    ladder = question.ladder
    rung, seed = _chosen(question, store)
    start = rung_model(store, ladder, rung, seed, START)
    count = question.calibration_images or ladder.export.calibration_images
    measure: Measure = "top1_drop" if ladder.regression is None else "mse_ratio"
    limit = Limit(measure, ALLOWED[measure] if question.allowed is None else question.allowed)
    folder, mixtures, kinds = _plan(start.path, store, ladder, (rung, seed, count))
    job = MixturesJob(ladder, rung, start.path, start.preprocess, folder, mixtures, count)
    write_mixtures(job, reporter)
    found = _answers(start, job, ladder, store, reporter)
    whole, rows = costs(found, kinds, limit)
    best, sentence = recommended(whole, rows, limit)
    report = OperatorReport(
        ladder=ladder.name,
        rung=rung.name,
        seed=seed,
        n=len(found[FLOAT].loss),
        measure=measure,
        allowance=limit.allowed,
        calibration_images=count,
        whole=whole,
        kinds=rows,
        recommended=best.name,
        sentence=sentence,
        folder=str(folder),
        notes=(NO_16X8,),
        versions={"ai-edge-quantizer": _quantizer()},
    )
    store.write_record(folder.parent / f"{folder.name}.json", report)
    return report


def _chosen(question: Question, store: Store) -> tuple[Rung, int]:
    """The rung that was named, else the largest one that is exported; its lowest seed, unless one was named."""
    ladder = question.ladder
    asked = [ladder.rung(question.rung)] if question.rung else list(reversed(ladder.rungs))
    for rung in asked:
        for seed in [question.seed] if question.seed is not None else store.seeds(ladder.name, rung.name):
            if store.artifact(store.rung(ladder.name, rung.name, seed), f"{START}.tflite"):
                return rung, seed
    only = f" --rung {asked[0].name}" if question.rung else ""
    only += f" --seed {question.seed}" if question.seed is not None else ""
    hint = f"run: edgeval export {ladder.typed}{only} --format {START}{store.flag}"
    what = asked[0].name if question.rung else ladder.name
    raise MissingError(f"{what} is not exported to {START}", seen=store.root, hint=hint)


def _plan(
    start: Path, store: Store, ladder: Ladder, which: tuple[Rung, int, int]
) -> tuple[Path, tuple[Mixture, ...], tuple[Kind, ...]]:
    """The folder that holds the files of this very float file, the files to make, and the kinds of operators."""
    from edgeval.export.kinds import kinds as kinds_of

    rung, seed, count = which
    scopes = kinds_of(start.read_bytes())
    names = [Kind(kind, len(its), f"only {kind}", f"all but {kind}") for kind, its in scopes.items()]
    identity = key(file_sha256(start), count, _quantizer(), FORM)[:8]
    folder = store.root / "operators" / ladder.name / f"{rung.name}-s{seed}-{identity}"
    plain = tuple(Mixture(name, name, ()) for name in (INT8, W8, A16W8))
    made = [Mixture(name, role, scopes[kind.name]) for kind in names for name, role in _roles(kind)]
    return folder, (*plain, *made), tuple(names)


def _roles(kind: Kind) -> tuple[tuple[str, str], ...]:
    return (kind.only, "only"), (kind.all_but, "all but")


def _answers(
    start: Model, job: MixturesJob, ladder: Ladder, store: Store, reporter: Reporter
) -> Mapping[str, Answered]:
    """What the float file and every mixture answer to the test images, on this computer."""
    with open_bench(DESKTOP) as bench:
        files = {FLOAT: start} | {
            mixture.name: Model(
                job.path(mixture),
                start.name,
                f"tflite-{file_safe(mixture.name)}",
                start.preprocess,
                start.params,
                "logits",
                class_names=start.class_names,
            )
            for mixture in job.mixtures
        }
        return _by_kind(files, ladder, bench, store, reporter)


def _by_kind(
    files: Mapping[str, Model], ladder: Ladder, bench: Bench, store: Store, reporter: Reporter
) -> Mapping[str, Answered]:
    """Numbers of a regressor, classes of a classifier."""
    if ladder.regression is not None:
        data = load_part(ladder, "test")
        return {name: from_values(run_values(one, data, bench, store, reporter)) for name, one in files.items()}
    samples = load_split(ladder, "test", reporter.bar("test data", ""))
    return {name: from_classes(run_model(one, samples, bench, store, reporter)[0]) for name, one in files.items()}


def _quantizer() -> str:
    """The quantizer's version; empty where it is not installed."""
    try:
        return version("ai-edge-quantizer")
    except PackageNotFoundError:
        return ""

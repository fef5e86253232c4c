"""Train the rungs of a ladder that learns numbers: the learning rate of each is searched first, then every seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from edgeval.errors import EdgevalError, InputError
from edgeval.records.checkpoint import CheckpointCard
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.reporter import Reporter
from edgeval.store import Store, key
from edgeval.workflow import jobs
from edgeval.workflow.data import need, preprocess_of
from edgeval.workflow.fitjob import FitJob, fit_rung, found_rate, search_rate
from edgeval.workflow.measured import load_part
from edgeval.workflow.train import TrainOptions, device_of


def fit(
    ladder: Ladder,
    options: TrainOptions,
    store: Store,
    reporter: Reporter,
    finished: Callable[[Rung, int], None] = lambda rung, seed: None,
) -> list[CheckpointCard]:
    """Train what is not trained yet; cards of all asked rungs. Errors of single rungs are raised after the others.

    `finished` hears of each rung and seed that has its checkpoint, as soon as it has.
    """
    need("torch", "train")
    for name in ("epochs", "batch", "precision"):
        if getattr(options, name) is not None:
            hint = "change updates or batch in its card's [regression]"
            raise InputError(f"--{name} does not go with a ladder that learns numbers", seen=ladder.name, hint=hint)
    store.open()
    asked = _jobs(ladder, options, store)
    todo = [job for job in asked if not _done(job, store)]
    rungs = {job.rung.name: replace(job, seed=ladder.seeds[0]) for job in todo if found_rate(job) is None}
    if ladder.regression is not None and len(ladder.regression.rates) == 1:
        for job in rungs.values():
            search_rate(job, lambda done, total: None)  # nothing to choose from: no child is needed
        rungs = {}
    errors = _run(list(rungs.values()), search_rate, "rate of", options, reporter)
    found = [job for job in todo if found_rate(job) is not None]
    errors += _run(found, fit_rung, "train", options, reporter, lambda job: finished(job.rung, job.seed))
    if errors:
        raise errors[0]
    cards = [store.checkpoint(job.folder) for job in asked]
    return [card for _, card in filter(None, cards)]


def _run(
    asked: Sequence[FitJob],
    work: Callable[..., None],
    words: str,
    options: TrainOptions,
    reporter: Reporter,
    done: Callable[[FitJob], None] = lambda job: None,
) -> list[EdgevalError]:
    """Run jobs in children; their errors. `done` hears of each that had none."""
    names = [f"{words} {job.rung.name}" + (f" seed {job.seed}" if work is fit_rung else "") for job in asked]
    workers = options.workers or (1 if asked and asked[0].device != "cpu" else jobs.cores())
    threads = max(1, jobs.cores() // max(1, min(workers, len(asked))))
    tasks = [
        jobs.Task(
            work,
            replace(job, threads=threads),
            reporter.bar(name),
            (job.folder if work is fit_rung else job.search) / "train.log",
            name,
        )
        for job, name in zip(asked, names, strict=True)
    ]
    errors = []
    for outcome in jobs.run(tasks, workers):
        if outcome.error:
            errors.append(outcome.error)
        else:
            done(asked[outcome.index])
    return errors


def _jobs(ladder: Ladder, options: TrainOptions, store: Store) -> list[FitJob]:
    """Asked rungs and seeds, the widest first: they take longest."""
    rungs = [ladder.rung(name) for name in options.rungs] or list(ladder.rungs)
    device, marks = device_of(options.device), _marks(ladder, rungs)
    return [
        FitJob(ladder, rung, seed, store.root, device, 1, options.overwrite, marks[rung.name])
        for rung in sorted(rungs, key=lambda rung: -rung.width)
        for seed in options.seeds or ladder.seeds
        if (rung.name, seed) not in options.known
    ]


def _marks(ladder: Ladder, rungs: Sequence[Rung]) -> dict[str, str]:
    """For each rung a hash of all that decides its weights: recipe, data, preprocessing, network, width, images."""
    assert ladder.regression is not None
    recipe = ladder.regression.model_dump(exclude={"protocol", "seeds", "images"})
    validation = load_part(ladder, "validation").sha256
    data = {rung.images: load_part(ladder, "train", rung.images).sha256 for rung in rungs}
    net, how = ladder.net.model_dump(exclude={"widths"}), (preprocess_of(ladder), ladder.seeds[0])
    return {rung.name: key(recipe, data[rung.images], validation, net, how, rung.width) for rung in rungs}


def _done(job: FitJob, store: Store) -> bool:
    """Whether this rung is trained already. Raises InputError if it was trained differently."""
    found = None if job.overwrite else store.checkpoint(job.folder)
    if found is not None and found[1].mark != job.mark:
        hint = "choose another --runs DIR, or --overwrite"
        seen = found[1].fit.recipe.protocol if found[1].fit else "a classifier"
        raise InputError(f"{job.folder} holds a rung trained otherwise, or on other data", seen=seen, hint=hint)
    return found is not None

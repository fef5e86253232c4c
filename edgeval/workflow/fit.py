"""Train the rungs of a ladder that learns numbers: the learning rate of each is searched first, then every seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
    pool: jobs.Pool = jobs.LOCAL,
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
    asked = _jobs(ladder, options, store, pool)
    todo = [job for job in asked if not _done(job, store)]
    rungs = {job.rung.name: replace(job, seed=ladder.seeds[0]) for job in todo if found_rate(job) is None}
    if ladder.regression is not None and len(ladder.regression.rates) == 1:
        for job in rungs.values():
            search_rate(job, lambda done, total: None)  # nothing to choose from: no child is needed
        rungs = {}
    where = (pool, options.workers)
    errors = list(_run(list(rungs.values()), search_rate, where, reporter))
    found = [job for job in todo if found_rate(job) is not None and not _done(job, store)]
    errors += _run(found, fit_rung, where, reporter, lambda job: finished(job.rung, job.seed))
    if errors:
        raise errors[0]
    cards = [store.checkpoint(job.folder) for job in asked]
    return [card for _, card in filter(None, cards)]


def _run(
    asked: Sequence[FitJob],
    work: Callable[..., None],
    where: tuple[jobs.Pool, int | None],
    reporter: Reporter,
    done: Callable[[FitJob], None] = lambda job: None,
) -> Iterator[EdgevalError]:
    """Run jobs in children, or on a cluster; their errors. `done` hears of each that had none."""
    pool, workers = where[0], where[1] or where[0].size()
    threads, said = 1, "train {} seed {}" if work is fit_rung else "rate of {}"
    names = [said.format(job.rung.name, job.seed) for job in asked]
    if pool is jobs.LOCAL:
        workers = where[1] or (1 if asked and asked[0].device != "cpu" else workers)
        threads = jobs.threads(min(workers, len(asked)))
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
    for outcome in pool.run(tasks, workers):
        if outcome.error:
            yield outcome.error
        else:
            done(asked[outcome.index])


def _jobs(ladder: Ladder, options: TrainOptions, store: Store, pool: jobs.Pool) -> list[FitJob]:
    """Asked rungs and seeds, the widest first: they take longest."""
    rungs = [ladder.rung(name) for name in options.rungs] or list(ladder.rungs)
    device, marks = pool.device or device_of(options.device), marks_of(ladder, rungs)
    return [
        FitJob(ladder, rung, seed, store.root, device, 1, options.overwrite, marks[rung.name])
        for rung in sorted(rungs, key=lambda rung: -rung.width)
        for seed in options.seeds or ladder.seeds
        if (rung.name, seed) not in options.known
    ]


def marks_of(ladder: Ladder, rungs: Sequence[Rung]) -> dict[str, str]:
    """For each rung a hash of all but rate and seed that decides its weights: recipe, data, preprocessing, network."""
    assert ladder.regression is not None
    recipe = ladder.regression.identity()
    validation = load_part(ladder, "validation").sha256
    data = {rung.images: load_part(ladder, "train", rung.images).sha256 for rung in rungs}
    net, how = ladder.net.identity(), preprocess_of(ladder)
    return {rung.name: key(recipe, data[rung.images], validation, net, how, rung.width) for rung in rungs}


def _done(job: FitJob, store: Store) -> bool:
    """Whether this rung is trained already: of a changed search only what it picks counts.

    Raises InputError if it was trained differently.
    """
    found = None if job.overwrite else store.checkpoint(job.folder)
    if found is None:
        return False
    card, hint = found[1], "choose another --runs DIR, or --overwrite"
    if card.mark != job.mark or card.fit is None:
        seen = card.fit.recipe.protocol if card.fit else "a classifier"
        raise InputError(f"{job.folder} holds a rung trained otherwise, or on other data", seen=seen, hint=hint)
    if job.searches(card.fit.recipe):
        return True
    picked = found_rate(job)
    if picked is not None and picked.rate != card.fit.rate:
        seen = f"{card.fit.rate:g} then, {picked.rate:g} now"
        raise InputError(f"{job.folder} was trained at another learning rate", seen=seen, hint=hint)
    return picked is not None

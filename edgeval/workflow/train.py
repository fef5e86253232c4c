"""Train the rungs of a ladder, each in a process of its own, resumable, and keep every checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgeval.errors import EdgevalError, InputError
from edgeval.records.checkpoint import CheckpointCard
from edgeval.records.ladder import Ladder, Precision, Rung
from edgeval.records.reporter import Reporter
from edgeval.store import Store, file_sha256, key
from edgeval.workflow import branches, jobs
from edgeval.workflow.data import load_split, need, preprocess_of, task_name
from edgeval.workflow.rungjob import RungJob, train_rung, weights_file
from edgeval.workflow.together import groups, train_together


@dataclass(frozen=True)
class TrainOptions:
    """What the user may change: epochs and seeds of the recipe, which rungs, where, how many at once.

    known: names of rungs and their seeds that are not needed, although asked for.
    """

    rungs: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    epochs: int | None = None
    batch: int | None = None
    device: str = "auto"
    workers: int | None = None
    overwrite: bool = False
    precision: Precision | None = None
    known: frozenset[tuple[str, int]] = frozenset()


def train(
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
    pool = jobs.LOCAL if ladder.net.checkpoint else pool  # weights that are given lie here
    need("torch", "train")
    store.open()
    ladder = with_recipe(ladder, options)
    data = load_split(ladder, "train", reporter.bar(f"data of {task_name(ladder)}", ""))  # before the workers start
    asked = _jobs(ladder, options, store, data.sha256, pool)
    todo = [job for job in asked if not _done(job, store)]

    def ended(group: Sequence[RungJob]) -> None:
        for job in group:
            if store.checkpoint(job.folder):
                finished(job.rung, job.seed)

    if pool is jobs.LOCAL and todo and todo[0].device == "cuda":
        errors = branches.on_gpus(todo, branches.visible(options.workers), reporter, ended=ended)
    else:
        workers = options.workers or pool.size()
        errors, together = list[EdgevalError](), groups(todo, workers)
        for outcome in pool.run([_task(group, reporter) for group in together], workers):
            errors += [outcome.error] if outcome.error else []
            ended(together[outcome.index])
    if errors:
        lost = [f"{job.rung.name} seed {job.seed}" for job in todo if not store.checkpoint(job.folder)]
        if len(lost) > 1:
            reporter.say(f"not trained: {', '.join(lost)}")
        raise errors[0]
    cards = [store.checkpoint(job.folder) for job in asked]
    return [found[1] for found in cards if found]


def with_recipe(ladder: Ladder, options: TrainOptions) -> Ladder:
    """The ladder with the recipe that was asked for; a changed recipe is a protocol with its own name."""
    recipe = ladder.train
    changes: dict[str, Any] = {}
    if options.epochs and options.epochs != recipe.epochs:
        changes["epochs"] = options.epochs
    if options.batch and options.batch != recipe.batch:
        changes["batch"] = options.batch
    said = [f"{value} epochs" if name == "epochs" else f"batch {value}" for name, value in changes.items()]
    if options.precision and options.precision != recipe.precision:
        changes["precision"] = options.precision
        said.append(options.precision)
    if changes:
        changes["protocol"] = ", ".join([recipe.protocol, *said])
    copy = ladder.model_copy(update={"train": recipe.model_copy(update=changes)})
    copy._path, copy._explicit = ladder.path, ladder.explicit
    return copy


def _jobs(ladder: Ladder, options: TrainOptions, store: Store, data: str, pool: jobs.Pool) -> list[RungJob]:
    """Asked rungs and seeds, the largest rung first: it takes longest."""
    rungs = [ladder.rung(name) for name in options.rungs] or list(ladder.rungs)
    seeds = options.seeds or ladder.train.seeds
    device = pool.device or device_of(options.device)
    alone = pool is jobs.LOCAL and ((options.workers or 0) == 1 or len(rungs) * len(seeds) == 1)
    threads = jobs.threads(1) if alone else 1
    return [
        RungJob(ladder, rung, seed, store.root, device, threads, options.overwrite, _mark(ladder, rung, seed, data))
        for rung in sorted(rungs, key=lambda rung: -rung.width)
        for seed in seeds
        if (rung.name, seed) not in options.known
    ]


def device_of(asked: str) -> str:
    """The torch device. Raises InputError when a GPU is asked for that is not there."""
    from edgeval.train.predict import best_device

    found = best_device()
    if asked == "cuda" and found != "cuda":
        raise InputError("torch sees no GPU", seen="--device cuda", hint="use --device cpu")
    return found if asked == "auto" else asked


def _done(job: RungJob, store: Store) -> bool:
    """Whether this rung is trained already. Raises InputError if it was trained differently."""
    if job.overwrite:
        return False
    found = store.checkpoint(job.folder)
    if found is None:
        return False
    if found[1].mark != job.mark:
        raise InputError(
            f"{job.folder} holds a rung trained by another protocol, or on other data, or another network",
            seen=found[1].recipe.protocol if found[1].recipe else "weights that were given",
            hint="choose another --runs DIR, or --overwrite",
        )
    return True


def _mark(ladder: Ladder, rung: Rung, seed: int, data: str) -> str:
    """A hash of all that decides a rung's weights: recipe, data, preprocessing, network, width, seed, given weights."""
    # fp32 is left out, so that what was trained before precision was an option keeps its mark
    usual = {"precision"} if ladder.train.precision == "fp32" else set[str]()
    recipe = ladder.train.model_dump(exclude={"protocol", "seeds"} | usual)
    net = ladder.net.identity()
    given = file_sha256(weights_file(ladder, rung)) if ladder.net.checkpoint else ""
    return key(recipe, data, preprocess_of(ladder), net, rung.width, seed, given)


def _task(group: tuple[RungJob, ...], reporter: Reporter) -> jobs.Task:
    """One job, or seeds that are trained side by side, with a progress line of its own."""
    first, log = group[0], group[0].folder / "train.log"
    if len(group) == 1:
        name = f"train {first.rung.name} seed {first.seed}"
        return jobs.Task(train_rung, first, reporter.bar(name), log, name)
    name = f"train {first.rung.name} seeds {', '.join(str(job.seed) for job in group)}"
    return jobs.Task(train_together, group, reporter.bar(name), log, name)

"""Run a model on part of the samples: nested subsets of one seeded permutation; a longer run extends a shorter one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import InputError
from edgeval.records.evidence import Evidence
from edgeval.records.predictions import Predictions
from edgeval.records.reporter import Reporter
from edgeval.run.infer import dequantise
from edgeval.run.job import Watch
from edgeval.store import Store
from edgeval.tasks.samples import Samples
from edgeval.workflow.artifact import Model, model_identity, ready
from edgeval.workflow.bench import Bench
from edgeval.workflow.run import (
    accepted,
    counted,
    fitted,
    inferred,
    job_of,
    leaks,
    marks,
    ran_on,
    record,
    run_model,
    table_of,
    work_name,
)

SEED = 20_000


def shuffled(samples: Samples) -> Samples:
    """All samples in the one order of which every subset is the beginning."""
    return samples.take(permutation(len(samples)))


def permutation(n: int) -> NDArray[np.int64]:
    """The seeded uniform permutation of n samples."""
    return np.random.default_rng(SEED).permutation(n)


def subset(samples: Samples, count: int) -> Samples:
    """The first `count` samples of the permutation. Raises InputError."""
    if count > len(samples):
        raise InputError("--images asks for more than there are", seen=count, hint=f"at most {len(samples):,}")
    return samples.take(permutation(len(samples))[:count])


@dataclass(frozen=True)
class Part:
    """How many of the shuffled samples to answer at most, and who may end the run before."""

    count: int
    watch: Watch | None = None
    chunk: int = 500


@dataclass(frozen=True)
class Bid:
    """One candidate that has not run, against answers that the reference gave to all samples."""

    model: Model
    samples: Samples
    full: Predictions
    bench: Bench
    command: str
    notes: tuple[str, ...] = ()


Early = Callable[[Bid], Evidence]
"""Judges a candidate while it runs, and ends the run when that is settled."""


def run_images(
    model: Model, whole: Samples, count: int | None, bench: Bench, store: Store, reporter: Reporter
) -> Predictions:
    """Answers to all samples, or to the first `count` of them in their seeded order."""
    if count is None:
        return run_model(model, whole, bench, store, reporter)[0]
    return run_part(model, shuffled(whole), Part(count), bench, store, reporter)


def run_part(model: Model, whole: Samples, part: Part, bench: Bench, store: Store, reporter: Reporter) -> Predictions:
    """Answers to the first samples of `whole` (shuffled already); what any other part answered is not run again."""
    model = ready(fitted(model, bench, store, reporter), whole)
    sha256 = model_identity(model.path)
    name = work_name(model, sha256, bench, whole.sha256, whole.class_names)
    path = store.table(f"{name}-first-{part.count}")
    if part.watch is None and path.exists():
        found = counted(model, whole, store.read_table(path), bench, (store, path, reporter))
        accepted(model, bench, found.source)
        record(model, whole.take(np.arange(len(found))), found, bench)
        return found.with_source(**marks(model, bench, found.source), **leaks(model, whole, found.source))
    store.open()
    chunks, upto = store.chunks(name), part.count
    if part.watch is not None and any(part.watch(*saved) for saved in chunks.saved()):
        upto = len(chunks.first(part.count))
    bar = reporter.bar(f"run {model.name} {model.format} on {bench.name}")
    job = job_of(model, whole, bench)
    timed = job.latency and part.watch is None
    job = replace(job, chunk=part.chunk, upto=upto, watch=part.watch, latency=timed)
    result = inferred(job, bench, chunks, store, reporter, bar)
    outputs = dequantise(chunks.first(part.count), result.hello)
    made = table_of(model, whole.take(np.arange(len(outputs))), outputs, result, sha256)
    made = made.with_source(**ran_on(bench, result), **marks(model, bench, made.source))
    if part.watch is None:
        store.write_table(path, made)
        made = counted(model, whole, made, bench, (store, path, reporter))
        record(model, whole.take(np.arange(len(made))), made, bench)
    return made.with_source(**leaks(model, whole, made.source))


def part_of(table: Predictions, samples: Samples) -> Predictions:
    """The rows of a whole table that answer these samples, in their order."""
    assert table.ids is not None
    at = {name: i for i, name in enumerate(table.ids)}
    return table.take(np.array([at[name] for name in samples.ids])).with_source(data_sha256=samples.sha256)

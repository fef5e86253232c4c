"""Run the exported files of a ladder that learns numbers on the nodes of a cluster."""

from __future__ import annotations

from collections.abc import Iterator

from edgeval.records.ladder import Ladder
from edgeval.records.reporter import Progress, Reporter
from edgeval.records.values import Values, encode_values
from edgeval.store import Store
from edgeval.workflow import jobs
from edgeval.workflow.artifact import rung_model
from edgeval.workflow.bench import open_bench
from edgeval.workflow.measured import load_part
from edgeval.workflow.numbers import RanNumbers, run_values
from edgeval.workflow.predict import RunOptions
from edgeval.workflow.runjob import DESKTOP, Quiet, RunJob, asked_jobs, dealt, marked
from edgeval.workflow.torch_numbers import kept_values


def run_numbers_on(
    pool: jobs.Pool, ladder: Ladder, options: RunOptions, store: Store, reporter: Reporter
) -> Iterator[RanNumbers]:
    """Each asked rung, seed and format on some node; yields tables as they are finished."""
    for job, table in dealt(asked_jobs(ladder, options, store), answer_rung, pool, reporter):
        yield RanNumbers(table, job.rung, job.seed)


def answer_rung(job: RunJob, progress: Progress) -> Values:
    """In a process on a node: the table, which is kept in the results folder. Its latencies are marked."""
    store, folder = Store(job.root), job.root / "predictions"
    before = set(folder.glob("*.npz"))
    with open_bench(DESKTOP) as bench:
        model = rung_model(store, job.ladder, job.rung, job.seed, job.format)
        found = run_values(model, load_part(job.ladder, "test"), bench, store, Quiet(progress))
    made = set(folder.glob("*.npz")) - before
    for path in made:
        store.write(path, encode_values(marked(kept_values(path))))
    return marked(found) if made else found

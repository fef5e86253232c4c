"""Measure the floors: a candidate under each kernel family of the desktop, and a rung under each of its seeds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from edgeval.compare.floors import floor
from edgeval.records.findings import Floor
from edgeval.records.predictions import Predictions
from edgeval.records.reporter import Reporter, Silent
from edgeval.records.target import Kernels
from edgeval.store import Store
from edgeval.tasks.samples import Samples
from edgeval.workflow.artifact import Model
from edgeval.workflow.bench import Bench, open_bench
from edgeval.workflow.run import run_model

FAMILIES: tuple[Kernels, ...] = ("auto", "builtin", "reference")
FLOOR_BUDGET_S = 60.0
SUBSET, PILOT, SEED = 1000, 8, 20_000
FEWEST = 32  # under so many images a floor says nothing


def kernel_floor(
    model: Model,
    samples: Samples,
    store: Store,
    reporter: Reporter,
    *,
    budget_s: float,
    families: tuple[Kernels, ...] = (),
) -> tuple[Floor | None, str]:
    """How many answers change between kernel families of the desktop (all if none is named), on a fixed subset.

    Or None and why.
    The subset is the first 1,000 images of one seeded permutation, fewer where the slowest family would take longer
    than `budget_s` seconds in all.
    """
    if budget_s <= 0:
        return None, "the kernel floor was not measured (--floor-budget 0)"
    if model.path.suffix.lower() != ".tflite":
        return None, f"{model.path.suffix or model.format} files have one kernel family here: no kernel floor"
    order = np.random.default_rng(SEED).permutation(len(samples))[:SUBSET]
    started = time.monotonic()
    with _benches(families or FAMILIES) as benches:
        pilot = run_model(model, samples.take(order[:PILOT]), benches[-1], store, Silent())[0]
        slowest_ms = len(benches) * _latency(pilot)  # FAMILIES goes from the fastest to the slowest
        left = budget_s - (time.monotonic() - started)
        count = min(len(order), int(0.8 * left / (slowest_ms / 1000)))  # 0.8: starts and transfers take time too
        if count < min(FEWEST, len(order)):
            slow = f"{slowest_ms:.0f} ms an image for all families is too slow for {budget_s:g} s"
            return None, f"no kernel floor: {slow} (--floor-budget)"
        subset = samples.take(order[:count])
        bar = reporter.bar(f"kernel floor of {model.name}", "families")
        tables: dict[str, Predictions] = {}
        for done, bench in enumerate(benches):
            bar(done, len(benches))
            tables[bench.target.runtime.kernels] = run_model(model, subset, bench, store, Silent())[0]
        bar(len(benches), len(benches))
    note = f"kernel families of {_engine(tables[benches[0].target.runtime.kernels])}"
    return floor(tables, seconds=time.monotonic() - started, note=note), ""


def retraining_floor(tables: dict[int, Predictions]) -> Floor | None:
    """How many answers change between trainings of one rung, by seed; None with fewer than two seeds."""
    named = {f"seed {seed}": table for seed, table in sorted(tables.items())}
    return floor(named, note="float checkpoints of the same width")


@contextmanager
def _benches(families: tuple[Kernels, ...]) -> Iterator[list[Bench]]:
    """This desktop under each of these kernel families, one thread."""
    with open_bench("desktop") as bench:
        runtime = bench.target.runtime
        targets = (
            bench.target.changed(runtime=runtime.model_copy(update={"kernels": family, "threads": 1}))
            for family in FAMILIES
            if family in families
        )
        yield [replace(bench, target=target) for target in targets]


def _latency(table: Predictions) -> float:
    """Milliseconds an image."""
    return table.source.latency.p50 if table.source.latency else 1000.0


def _engine(table: Predictions) -> str:
    """The runtime and its version."""
    facts = table.source.runtime or {}
    return f"{facts.get('engine', 'the runtime')} {facts.get('version', '')}".strip()

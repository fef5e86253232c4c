"""The whole chain of a regressor: magnets simulated, a small network trained, exported, run, compared, reported."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from edgeval.records.artifact import file_name
from edgeval.records.ladder import load_ladder
from edgeval.records.regression import RegressionComparison
from edgeval.records.reporter import Reporter
from edgeval.store import Store
from edgeval.workflow.compare import CompareOptions
from edgeval.workflow.compare_numbers import compare_number_ladder
from edgeval.workflow.data import need
from edgeval.workflow.export import ExportOptions, export
from edgeval.workflow.fit import fit
from edgeval.workflow.measured import magnets_needed, magnets_of
from edgeval.workflow.regression import keep_regression
from edgeval.workflow.simulate import usual_set
from edgeval.workflow.train import TrainOptions

LADDER = "fcn-cri3-small"
TOLERANCE = 0.05  # of each output's range


@dataclass(frozen=True)
class MagnetsDemo:
    """What was made: one row and page a rung; the largest rung and its fp32 and int8 files; the folder of the images,
    of which the first `tests` test.
    """

    rows: list[RegressionComparison]
    pages: list[Path]
    rung: str
    models: tuple[Path, Path]
    images: Path
    tests: int


def run_magnets(store: Store, reporter: Reporter) -> MagnetsDemo:
    """Every step goes on with what is there."""
    need("torch", "train")
    need("litert_torch", "export")
    store.open()
    ladder, begun = load_ladder(LADDER), time.monotonic()
    rungs, count, folder = ladder.rungs, magnets_needed(ladder), magnets_of(ladder)

    def told(step: str) -> None:
        reporter.say(f"[{time.monotonic() - begun:3.0f} s] {step}")

    told(f"simulating {count:,} magnets into {folder}")
    usual_set(count, None, reporter)
    told(f"training {', '.join(rung.name for rung in rungs)} of {LADDER}")
    fit(ladder, TrainOptions(device="cpu"), store, reporter)
    told("exporting to TFLite, fp32 and int8, each checked against torch")
    export(ladder, ExportOptions(), store, reporter)
    told(f"running the {ladder.task.test_images:,} test images through the exported files, and comparing")
    options = CompareOptions(rungs=tuple(rung.name for rung in rungs))
    rows = [found.comparison for found in compare_number_ladder(ladder, options, (TOLERANCE,), store, reporter)]
    pages = [keep_regression(row, store) for row in rows]
    told("done")
    largest = rungs[-1].name
    there = store.rung(LADDER, largest, ladder.seeds[0])
    models = there / file_name("tflite-fp32"), there / file_name("tflite-int8")
    return MagnetsDemo(rows, pages, largest, models, folder, ladder.task.test_images)

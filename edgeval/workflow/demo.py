"""The whole chain on bundled data: train, export, run, compare, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from edgeval.records.findings import Comparison
from edgeval.records.ladder import load_ladder
from edgeval.records.reporter import Reporter
from edgeval.store import Store
from edgeval.workflow.compare import CompareOptions, compare_ladder
from edgeval.workflow.export import ExportOptions, export
from edgeval.workflow.report import keep
from edgeval.workflow.train import TrainOptions, train

LADDER = "scalecnn-digits100"


def run_demo(store: Store, reporter: Reporter) -> tuple[Sequence[Comparison], Path]:
    """One row a smaller rung, and the report's path."""
    ladder, begun = load_ladder(LADDER), time.monotonic()

    def told(step: str) -> None:
        reporter.say(f"[{time.monotonic() - begun:3.0f} s] {step}")

    told(f"training {', '.join(rung.name for rung in ladder.rungs)} of {LADDER}, {ladder.train.epochs} epochs")
    train(ladder, TrainOptions(device="cpu"), store, reporter)
    told("exporting to TFLite, fp32 and int8, each checked against torch")
    export(ladder, ExportOptions(formats=("tflite-fp32", "tflite-int8")), store, reporter)
    told("running the test images through the exported files, and comparing")
    evidences, samples = compare_ladder(ladder, CompareOptions(), store, reporter)
    rows = [evidence.comparison for evidence in evidences]
    tables = [(evidence.reference, evidence.candidate) for evidence in evidences]
    page = keep(rows, samples, store, f"{LADDER}-{rows[0].candidate.format}", tables=tables)
    told("done")
    return rows, page

"""edgeval compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgeval.cli import options, regression
from edgeval.cli.display import Display
from edgeval.cli.pairs import pairs, weigh
from edgeval.cli.results import keep_rows, show_rows


@click.command()
@pairs
@options.json_file
@options.runs
@options.quiet
def compare(what: tuple[str, ...], json_to: str | None, runs: Path | None, quiet: bool, **given: Any) -> int:
    """How a candidate's answers differ from the reference's on the same images: per class, error sets, calibration.

    Without --reference and --candidate, the rungs of LADDER as they run on the target are compared with its largest
    rung in torch, stage by stage. compare never judges: see edgeval gate.

    \b
    Examples:
      edgeval compare scalecnn-digits100 --target desktop
      edgeval compare --target rpi4 --emulate --rung c4
      edgeval compare --target rpi4,rpi5,desktop
      edgeval compare --target tag:lab
      edgeval compare --reference big.onnx --candidate small_int8.tflite --data val/
      edgeval compare --reference a.tflite --candidate b.tflite --data test.npz --scale 1
      edgeval compare OLD.npz NEW.npz
      edgeval compare --task regression --reference a.onnx --candidate b.tflite --data d.npz --tolerance 0.5
    """
    from edgeval.workflow.project import open_store

    store = open_store(runs)
    if regression.is_asked(what, given, store):
        return regression.compare_numbers(what, given, json_to=json_to, store=store, quiet=quiet)
    with Display(quiet=quiet) as display:
        found = weigh(what, given, store, display)
        rows = [evidence.comparison for evidence in found.evidences]
        page = keep_rows(found, rows, store)
    return show_rows(found, rows, page, json_to)

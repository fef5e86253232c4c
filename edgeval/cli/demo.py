"""edgeval demo."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from edgeval.cli import options
from edgeval.cli.display import Display
from edgeval.cli.plain import echo


@click.command()
@click.option("--magnets", is_flag=True, help="A regressor of simulated magnets instead of a classifier.")
@options.runs
@options.quiet
def demo(magnets: bool, runs: Path | None, quiet: bool) -> None:
    """Train three sizes of a small network on bundled images, export, run and compare them, and write the report.

    With --magnets two sizes of a network that reads three numbers from an image; 4,000 images are simulated first, of
    which 2,000 test. Needs no network. A second run uses what the first one made.

    \b
    Examples:
      edgeval demo
      edgeval demo --magnets
    """
    if magnets:
        _magnets(runs, quiet=quiet)
        return
    from edgeval.report.text import render_text
    from edgeval.workflow.demo import run_demo
    from edgeval.workflow.project import open_store

    with Display(quiet=quiet) as display:
        rows, page = run_demo(open_store(runs), display)
    echo(render_text(rows, report=page))


def _magnets(runs: Path | None, *, quiet: bool) -> None:
    """The regressor's demo: its figures, where all lies, and what to type next."""
    from edgeval.report.regression import render_text
    from edgeval.workflow.demo_magnets import LADDER, TOLERANCE, run_magnets
    from edgeval.workflow.project import open_store

    store = open_store(runs)
    with Display(quiet=quiet) as display:
        made = run_magnets(store, display)
    for row, page in zip(made.rows, made.pages, strict=True):
        echo(f"{render_text(row, report=page)}\n")
    full, small = (shlex.quote(str(path)) for path in made.models)
    images = shlex.quote(str(made.images))
    echo(f"models: {full}\n        {small}\nimages: {images} (the first {made.tests:,} test)\n\nnext:")
    sides = f"--reference {full} --candidate {small}"
    echo(f"  edgeval compare --task regression {sides} --data {images} --tolerance {TOLERANCE:g}{store.flag}")
    echo(f"  edgeval init --task regression && edgeval gate {LADDER} --rung {made.rung}{store.flag}")

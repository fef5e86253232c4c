"""edgeval demo."""

from __future__ import annotations

from pathlib import Path

import click

from edgeval.cli import options
from edgeval.cli.display import Display
from edgeval.cli.plain import echo


@click.command()
@options.runs
@options.quiet
def demo(runs: Path | None, quiet: bool) -> None:
    """Train three sizes of a small network on bundled images, export, run and compare them, and write the report.

    Needs no network. A second run uses what the first one made.

    \b
    Example:
      edgeval demo
    """
    from edgeval.report.text import render_text
    from edgeval.workflow.demo import run_demo
    from edgeval.workflow.project import open_store

    with Display(quiet=quiet) as display:
        rows, page = run_demo(open_store(runs), display)
    echo(render_text(rows, report=page))

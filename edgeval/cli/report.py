"""edgeval report."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("comparison", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Page to write: .html or .md.")
def report(comparison: Path, output: Path) -> None:
    """Write the report of a COMPARISON again, from the JSON that compare kept.

    \b
    Examples:
      edgeval report runs/comparisons/scalecnn-digits100-tflite-int8-desktop.json -o report.html
      edgeval report runs/comparisons/scalecnn-digits100-tflite-int8-desktop.json -o report.md
    """
    from edgeval.workflow.regression import read_regression, render_regression
    from edgeval.workflow.report import read_comparison, render

    if output.suffix not in (".html", ".md"):
        raise click.UsageError(f"--output must end in .html or .md, not {output.name!r}")
    numbers = read_regression(comparison)
    if numbers is not None:
        render_regression(output, numbers)
    else:
        rows, images = read_comparison(comparison)
        render(output, images, rows)
    click.echo(f"wrote {output}")

"""edgeval report."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("comparison", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File: .html, .md, .xml (JUnit) or .json.")
@click.option("--annotations", is_flag=True, help="Print the verdict as GitHub annotations.")
@click.option("--bundle", type=click.Path(path_type=Path), metavar="OUT.zip", help="Zip that runs the flips again.")
@click.option("--with-models", is_flag=True, help="Put the model files into the bundle, where they are found.")
@click.option(
    "--most-mb", type=click.IntRange(1, 4000), default=64, show_default=True, help="Pixels in a bundle, in megabytes."
)
def report(
    comparison: Path, output: Path | None, annotations: bool, bundle: Path | None, with_models: bool, most_mb: int
) -> None:
    """Write the report of a COMPARISON again, from the JSON that compare or gate kept.

    \b
    Examples:
      edgeval report runs/comparisons/scalecnn-digits100-tflite-int8-desktop.json -o report.html
      edgeval report runs/comparisons/scalecnn-digits100-tflite-int8-desktop.json -o junit.xml
      edgeval report report/report.json --annotations
      edgeval report runs/comparisons/scalecnn-digits100-tflite-int8-desktop.json --bundle flips.zip --with-models
    """
    from edgeval.report.annotations import render_annotations
    from edgeval.workflow.bundle import BundleOptions, write_bundle
    from edgeval.workflow.kept import read_comparison
    from edgeval.workflow.regression import read_regression, render_regression
    from edgeval.workflow.report import SUFFIXES, render

    if output is None and bundle is None and not annotations:
        raise click.UsageError("say what to write: -o FILE, --annotations or --bundle OUT.zip")
    if output is not None and output.suffix not in SUFFIXES:
        raise click.UsageError(f"--output must end in .html or .md, .xml or .json, not {output.name!r}")
    if bundle is None and with_models:
        raise click.UsageError("--with-models goes with --bundle OUT.zip")
    numbers = read_regression(comparison)
    if numbers is not None:
        if bundle is not None:
            raise click.UsageError("--bundle goes with comparisons of classifiers")
        if output is not None:
            render_regression(output, numbers)
            click.echo(f"wrote {output}", err=annotations)
        click.echo(render_annotations([numbers]) if annotations else "", nl=False)
        return
    rows, images = read_comparison(comparison)
    if output is not None:
        render(output, images, rows)
        click.echo(f"wrote {output}", err=annotations)
    if bundle is not None:
        notes = write_bundle(comparison, bundle, BundleOptions(most_mb * 1_000_000, with_models))
        click.echo("\n".join([f"wrote {bundle}", *(f"  {note}" for note in notes)]), err=annotations)
    if annotations:
        click.echo(render_annotations(rows), nl=False)

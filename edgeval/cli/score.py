"""edgeval score."""

from __future__ import annotations

from pathlib import Path

import click

from edgeval.cli import options, regression


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@options.task
@options.json_file
def score(table: Path, task: str | None, tolerance: tuple[float, ...] | None, json_to: str | None) -> None:
    """Every measure of TABLE, an .npz with labels and one of probs, logits or predictions.

    A table of a regression model holds targets and values instead.

    \b
    Examples:
      edgeval score predictions.npz
      edgeval score predictions.npz --json -
      edgeval score values.npz --tolerance 0.5
    """
    if regression.is_asked((str(table),), {"task": task}):
        regression.score_numbers(table, tolerance, json_to)
        return
    if tolerance is not None:
        raise click.UsageError("--tolerance does not go with classification: it is for --task regression")
    from edgeval.report.text import render_score
    from edgeval.workflow.score import score_table

    found = score_table(table)
    options.emit(render_score(found), lambda: found.model_dump_json(indent=1, by_alias=True), json_to)

"""edgeval score."""

from __future__ import annotations

from pathlib import Path

import click

from edgeval.cli import options


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@options.json_file
def score(table: Path, json_to: str | None) -> None:
    """Every measure of TABLE, an .npz with labels and one of probs, logits or predictions.

    \b
    Examples:
      edgeval score predictions.npz
      edgeval score predictions.npz --json -
    """
    from edgeval.report.text import render_score
    from edgeval.workflow.score import score_table

    found = score_table(table)
    options.emit(render_score(found), lambda: found.model_dump_json(indent=1, by_alias=True), json_to)

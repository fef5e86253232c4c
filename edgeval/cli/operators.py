"""edgeval operators."""

from __future__ import annotations

from pathlib import Path

import click

from edgeval.cli import options
from edgeval.cli.display import Display


def allowance(value: str) -> float:
    """A share such as 5% or 0.5pt, as a fraction."""
    from edgeval.records.gate import share

    try:
        if (found := share(value)) >= 0:
            return found
        raise ValueError("it must not be below 0")
    except ValueError as error:
        raise click.BadParameter(f"{value!r}: {error}") from error


@click.command()
@click.argument("ladder", metavar="LADDER[:RUNG]")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="[default: the lowest that is exported]")
@click.option(
    "--allow",
    type=allowance,
    metavar="X",
    help="Damage that the recommended file may do: % of the squared error, points of top-1.  [default: 5%, or 0.5pt]",
)
@click.option("--calibration-images", type=click.IntRange(1), help="Training images that set the int8 ranges.")
@options.json_file
@options.runs
@options.quiet
def operators(
    ladder: str,
    seed: int | None,
    allow: float | None,
    calibration_images: int | None,
    json_to: str | None,
    runs: Path | None,
    quiet: bool,
) -> None:
    """Which operators of an exported rung suffer from int8, and which file to ship.

    Each kind (attention, softmax, LayerNorm, GELU, dense, convolution, residual add ...) is once left in float while
    all the rest is int8, and once quantised alone; beside them full int8, int8 weights (w8) and int16 activations
    (16x8). All run on this computer over the test images, and are set beside the float file, paired. The files stay in
    the results folder, so that a second call only reads. RUNG defaults to the largest one that is exported.

    \b
    Examples:
      edgeval operators scalecnn-digits100
      edgeval operators vit.toml:d32-n2000 --allow 5% --json operators.json
    """
    from edgeval.records.ladder import load_ladder
    from edgeval.report.operators import render_operators
    from edgeval.workflow.operators import Question
    from edgeval.workflow.operators import operators as work
    from edgeval.workflow.project import open_store

    name, _, rung = ladder.partition(":")
    question = Question(load_ladder(name), rung or None, seed, allow, calibration_images)
    with Display(quiet=quiet) as display:
        found = work(question, open_store(runs), display)
    options.emit(render_operators(found), lambda: found.model_dump_json(indent=1, by_alias=True), json_to)

"""edgeval train."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display
from edgeval.cli.plain import echo

if TYPE_CHECKING:
    from edgeval.records.checkpoint import CheckpointCard


@click.command()
@click.argument("ladder")
@options.recipe
@options.cluster
@click.option("--gpus-per-job", type=options.number, metavar="X", help="With --cluster: 0.25 lets four share a GPU.")
@click.option("--overwrite", is_flag=True, help="Train again what is there already.")
@options.runs
@options.quiet
def train(
    ladder: str,
    cluster: str | None,
    gpus_per_job: float | None,
    overwrite: bool,
    runs: Path | None,
    quiet: bool,
    **recipe: Any,
) -> None:
    """Train the rungs of LADDER (a name or a card's path), resumable after every epoch.

    \b
    Examples:
      edgeval train scalecnn-digits100
      edgeval train scalecnn-cifar100 --rung c4 --rung c16 --seed 0 --epochs 30
      edgeval train models/mine.toml
      edgeval train scalecnn-cifar100 --cluster 10.0.0.1:6379 --gpus-per-job 0.25
    """
    from edgeval.records.ladder import load_ladder
    from edgeval.workflow.fit import fit
    from edgeval.workflow.project import open_store
    from edgeval.workflow.remote import pool_of
    from edgeval.workflow.train import TrainOptions
    from edgeval.workflow.train import train as work

    if gpus_per_job is not None and (cluster is None or recipe["device"] == "cpu"):
        raise click.UsageError("--gpus-per-job goes with --cluster, and not with --device cpu")
    asked = TrainOptions(**recipe, overwrite=overwrite)
    card, store = load_ladder(ladder), open_store(runs)
    numbers = card.regression is not None
    with (
        Display(quiet=quiet) as display,
        pool_of(cluster, "train", display, device=recipe["device"], gpus=gpus_per_job) as pool,
    ):
        cards = (fit if numbers else work)(card, asked, store, display, pool)
    for made in cards:
        if made.fit is not None:
            echo(_fitted(made))
            continue
        loss = "weights given" if made.final_loss is None else f"last training loss {made.final_loss:.3f}"
        echo(f"{made.rung} seed {made.seed}: {made.params:,} parameters, {loss}")
    echo(f"next: edgeval export {ladder}")


def _fitted(made: CheckpointCard) -> str:
    """One line on a rung that learned numbers: how well it does on the validation part."""
    assert made.fit is not None
    errors = ", ".join(f"{name} {e:.3g}" for name, e in zip(made.class_names, made.fit.validation_mse, strict=True))
    return f"{made.rung} seed {made.seed}: {made.params:,} parameters, rate {made.fit.rate:g}, validation MSE {errors}"

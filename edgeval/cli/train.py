"""edgeval train."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display
from edgeval.cli.plain import echo

if TYPE_CHECKING:
    from edgeval.records.ladder import Ladder
    from edgeval.store import Store
    from edgeval.workflow.train import TrainOptions


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
    from edgeval.workflow.project import open_store
    from edgeval.workflow.remote import pool_of
    from edgeval.workflow.train import TrainOptions
    from edgeval.workflow.train import train as work

    if gpus_per_job is not None and (cluster is None or recipe["device"] == "cpu"):
        raise click.UsageError("--gpus-per-job goes with --cluster, and not with --device cpu")
    asked = TrainOptions(**recipe, overwrite=overwrite)
    card, store = load_ladder(ladder), open_store(runs)
    if card.regression is not None:
        if cluster is not None:
            raise click.UsageError("--cluster does not go with a ladder that learns numbers")
        _numbers(card, asked, store, quiet=quiet)
        return
    with (
        Display(quiet=quiet) as display,
        pool_of(cluster, "train", display, device=recipe["device"], gpus=gpus_per_job) as pool,
    ):
        cards = work(card, asked, store, display, pool)
    for made in cards:
        loss = "weights given" if made.final_loss is None else f"last training loss {made.final_loss:.3f}"
        echo(f"{made.rung} seed {made.seed}: {made.params:,} parameters, {loss}")
    echo(f"next: edgeval export {ladder}")


def _numbers(card: Ladder, asked: TrainOptions, store: Store, *, quiet: bool) -> None:
    """Train a ladder that learns numbers, and say how well each rung does on the validation part."""
    from edgeval.workflow.fit import fit

    with Display(quiet=quiet) as display:
        cards = fit(card, asked, store, display)
    for made in cards:
        assert made.fit is not None
        errors = ", ".join(f"{name} {e:.3g}" for name, e in zip(made.class_names, made.fit.validation_mse, strict=True))
        echo(
            f"{made.rung} seed {made.seed}: {made.params:,} parameters, rate {made.fit.rate:g}, validation MSE {errors}"
        )
    echo(f"next: edgeval export {card.typed}")

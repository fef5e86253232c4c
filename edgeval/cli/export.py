"""edgeval export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display
from edgeval.cli.plain import echo


@click.command()
@click.argument("ladder", metavar="LADDER|MODEL")
@options.rungs
@click.option(
    "--format",
    "formats",
    type=click.Choice(options.FORMATS),
    multiple=True,
    help="May be repeated.  [default: the card's]",
)
@click.option(
    "--for",
    "profile",
    type=click.Choice(["litert", "tflite-runtime", "coral"]),
    default="litert",
    show_default=True,
    help="Runtime family; the last two need per-tensor dense weights.",
)
@click.option("--calibration-images", type=click.IntRange(1), help="Training images that set the int8 ranges.")
@click.option("--calibrate", type=click.Path(path_type=Path), help="Labelled images that calibrate MODEL.")
@click.option("--size", type=options.size, metavar="HxW", help="Resize the images of --calibrate.")
@click.option("--scale", type=options.number, metavar="X", help="For MODEL: input = (pixel x scale - mean) / std.")
@click.option("--mean", type=options.numbers, metavar="X[,X...]")
@click.option("--std", type=options.numbers, metavar="X[,X...]")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("exported"), help="Folder for the files of MODEL."
)
@options.workers
@options.cluster
@click.option("--overwrite", is_flag=True, help="Export again what is there already.")
@options.runs
@options.quiet
def export(ladder: str, calibrate: Path | None, output: Path, runs: Path | None, quiet: bool, **given: Any) -> None:
    """Export every trained rung of LADDER to ONNX and TFLite, fp32 and int8, each checked against torch.

    Int8 files are calibrated on training images. MODEL is a .pt2 (torch.export), or a Keras file or SavedModel
    folder, which TensorFlow's own converter makes TFLite of; both are calibrated on --calibrate.

    \b
    Examples:
      edgeval export scalecnn-digits100
      edgeval export scalecnn-cifar100 --rung c4 --format tflite-int8 --for coral
      edgeval export scalecnn-cifar100 --cluster 10.0.0.1:6379
      edgeval export net.pt2 --calibrate photos/train --mean 0.5 --std 0.25 -o exported
      edgeval export net.keras --calibrate photos/train --scale 1 --for coral
    """
    from edgeval.records.kerasfile import keras_form
    from edgeval.workflow.project import open_store

    pieces = {name: given.pop(name) for name in ("scale", "mean", "std")}
    cluster = given.pop("cluster")
    with Display(quiet=quiet) as display:
        if ladder.endswith(".pt2") or keras_form(Path(ladder)) is not None:
            from edgeval.workflow.program import export_program

            if cluster is not None:
                raise click.UsageError("--cluster is for the rungs of a ladder")
            preprocess = {name: value for name, value in pieces.items() if value is not None}
            cards, where = export_program(Path(ladder), calibrate, output, preprocess, given, display), output
        else:
            if given.pop("size"):
                raise click.UsageError("--size does not go with a ladder")
            from edgeval.records.ladder import load_ladder
            from edgeval.workflow.export import ExportOptions
            from edgeval.workflow.export import export as work
            from edgeval.workflow.remote import pool_of

            store, asked = open_store(runs), ExportOptions(**given)
            with pool_of(cluster, "export", display) as pool:
                cards, where = work(load_ladder(ladder), asked, store, display, pool), store.root / "artifacts"
    for card in cards:
        parity = card.parity
        agreed = f"agrees with the original on {parity.argmax_agreement:.1%} of {parity.n} images"
        if card.outputs == "values":
            agreed = f"mean difference from the original {parity.mean_abs_error:.2g} on {parity.n} images"
        size = f"{card.size_bytes / 1000:,.1f} kB"
        echo(f"{card.name} {card.file}: {size}, {agreed} (largest difference {parity.max_abs_error:.2g})")
    echo(f"in {where}")

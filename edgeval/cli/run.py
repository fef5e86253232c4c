"""edgeval run."""

from __future__ import annotations

from pathlib import Path

import click

from edgeval.cli import options
from edgeval.cli.display import Display


@click.command()
@click.argument("ladder", required=False)
@options.target
@options.record
@options.instructions
@options.rungs
@click.option("--format", "formats", type=click.Choice(options.FORMATS), multiple=True, help="[default: the target's]")
@options.runs
@options.quiet
def run(
    ladder: str | None,
    target: str | None,
    emulate: bool,
    record: Path | None,
    instructions: bool,
    rungs: tuple[str, ...],
    seeds: tuple[int, ...],
    formats: tuple[str, ...],
    runs: Path | None,
    quiet: bool,
) -> None:
    """Run exported models of LADDER on a target; keep predictions, latency, memory and provenance.

    \b
    Examples:
      edgeval run scalecnn-digits100 --target desktop
      edgeval run scalecnn-digits100 --rung c4 --format onnx-int8
      edgeval run scalecnn-digits100 --target rpi4 --emulate
      edgeval run scalecnn-digits100 --target pi4-emulated --instructions
      edgeval run scalecnn-digits100 --target rpi4 --record devices/rpi4-replay.npz
    """
    from edgeval.workflow.predict import RunOptions, run_ladder
    from edgeval.workflow.project import choose_ladder, choose_target, open_store
    from edgeval.workflow.record import card_of, recorded
    from edgeval.workflow.standin import check_counted

    store = open_store(runs)
    name, command = choose_target(target), options.typed()
    if instructions:
        check_counted(name, emulate=emulate)
    with (
        Display(quiet=quiet) as display,
        recorded(name, record, emulate=emulate, instructions=instructions, command=command, reporter=display) as opened,
    ):
        asked = RunOptions(name, emulate, rungs, formats, seeds, opened, instructions)  # type: ignore[arg-type]
        for found in run_ladder(choose_ladder(ladder, store), asked, store, display):
            source, latency = found.table.source, found.table.source.latency
            counted = f", {source.instructions:,} instructions an image" if source.instructions else ""
            speed = f", {latency.p50:.3g} ms an image (p95 {latency.p95:.3g})" if latency else ""
            sized = f", arena {source.arena.smallest / 1000:,.1f} kB" if source.arena else ""
            right = f"top-1 {found.table.correct.mean():.2%}"
            click.echo(f"{source.name} {source.format} on {source.target}: {right}{speed}{counted}{sized}")
            click.echo(f"  {found.path}")
    if record is not None:
        click.echo(f"recorded {record}; edgeval gate --target {card_of(record)} replays it")

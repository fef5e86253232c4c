"""edgeval run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display
from edgeval.cli.plain import echo

if TYPE_CHECKING:
    from edgeval.records.ladder import Ladder
    from edgeval.store import Store
    from edgeval.workflow.numbers import RanNumbers
    from edgeval.workflow.predict import Ran, RunOptions


@click.command()
@click.argument("ladder", required=False)
@options.target
@options.record
@options.instructions
@options.rungs
@click.option("--format", "formats", type=click.Choice(options.FORMATS), multiple=True, help="[default: the target's]")
@options.cluster
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
    cluster: str | None,
    runs: Path | None,
    quiet: bool,
) -> int:
    """Run exported models of LADDER on a target; keep predictions, latency, memory and provenance.

    \b
    Examples:
      edgeval run scalecnn-digits100 --target desktop
      edgeval run scalecnn-digits100 --rung c4 --format onnx-int8
      edgeval run scalecnn-digits100 --target rpi4 --emulate
      edgeval run scalecnn-digits100 --target pi4-emulated --instructions
      edgeval run scalecnn-digits100 --target rpi4 --record devices/rpi4-replay.npz
      edgeval run scalecnn-digits100 --target rpi4,rpi5
      edgeval run scalecnn-digits100 --cluster 10.0.0.1:6379
    """
    from edgeval.cli.pairs import one_or_many
    from edgeval.workflow.predict import RunOptions, run_ladder
    from edgeval.workflow.project import choose_ladder, choose_target, open_store
    from edgeval.workflow.record import card_of, recorded
    from edgeval.workflow.standin import check_counted

    store = open_store(runs)
    names, command = one_or_many(choose_target(target), {"record": record}), options.typed()
    for name in names if instructions else ():
        check_counted(name, emulate=emulate)
    asked = RunOptions(names[0], emulate, rungs, formats, seeds, None, instructions)  # type: ignore[arg-type]
    if cluster is not None:
        if emulate or record or instructions or len(names) > 1:
            raise click.UsageError(
                "--cluster goes with the one target desktop, and not with --record or --instructions"
            )
        _on_cluster(cluster, ladder, asked, store, quiet=quiet)
        return 0
    if len(names) > 1:
        return _on_several(choose_ladder(ladder, store), asked, names, store, quiet=quiet)
    card = choose_ladder(ladder, store)
    if card.regression is not None:
        return _numbers(card, asked, store, record, quiet=quiet)
    how: dict[str, Any] = {"emulate": emulate, "instructions": instructions, "command": command}
    with Display(quiet=quiet) as display, recorded(names[0], record, reporter=display, **how) as opened:
        for found in run_ladder(card, replace(asked, opened=opened), store, display):
            _tell(found)
    if record is not None:
        echo(f"recorded {record}; edgeval gate --target {card_of(record)} replays it")
    return 0


def _on_several(card: Ladder, asked: RunOptions, names: tuple[str, ...], store: Store, *, quiet: bool) -> int:
    """The same on several targets at once; the worst exit code."""
    from edgeval.records.fleet import worst_code
    from edgeval.workflow.numbers import run_numbers_fleet
    from edgeval.workflow.predict import run_fleet

    with Display(quiet=quiet) as display:
        if card.regression is not None:
            states = run_numbers_fleet(card, asked, names, store, _tell_numbers, display)
        else:
            states = run_fleet(card, asked, names, store, _tell, display)
    for state in states:
        if state.state != "answered":
            echo(f"{state.name}: {state.state} (exit code {state.exit_code}): {state.error}")
    return worst_code(state.exit_code for state in states)


def _on_cluster(cluster: str, ladder: str | None, asked: RunOptions, store: Store, *, quiet: bool) -> None:
    """The same on the nodes of a cluster, each file wherever there is room."""
    from edgeval.workflow.numbers_there import run_numbers_on
    from edgeval.workflow.project import choose_ladder
    from edgeval.workflow.remote import pool_of
    from edgeval.workflow.runjob import desktop, run_on

    desktop(asked.target)
    card = choose_ladder(ladder, store)
    with Display(quiet=quiet) as display, pool_of(cluster, "run", display) as pool:
        if card.regression is not None:
            for numbers in run_numbers_on(pool, card, asked, store, display):
                _tell_numbers(numbers)
            return
        for found in run_on(pool, card, asked, store, display):
            _tell(found)


def _numbers(card: Ladder, asked: RunOptions, store: Store, record: Path | None, *, quiet: bool) -> int:
    """The same for a ladder that learns numbers."""
    from edgeval.workflow.numbers import run_numbers

    if record is not None:
        raise click.UsageError("--record does not go with a ladder that learns numbers")
    with Display(quiet=quiet) as display:
        for found in run_numbers(card, asked, store, display):
            _tell_numbers(found)
    return 0


def _tell_numbers(found: RanNumbers) -> None:
    """One finished table of numbers."""
    source, errors = found.table.source, (found.table.errors**2).mean(axis=0)
    told = ", ".join(f"{name} {mse:.3g}" for name, mse in zip(found.table.output_names, errors, strict=True))
    speed = f", {source.latency.p50:.3g} ms an image (p95 {source.latency.p95:.3g})" if source.latency else ""
    echo(f"{source.name} seed {found.seed} {source.format} on {source.target}: MSE {told}{speed}")


def _tell(found: Ran) -> None:
    """One finished table, in one piece: several targets may be done at once."""
    source, latency = found.table.source, found.table.source.latency
    counted = f", {source.instructions:,} instructions an image" if source.instructions else ""
    speed = f", {latency.p50:.3g} ms an image (p95 {latency.p95:.3g})" if latency else ""
    right = f"top-1 {found.table.correct.mean():.2%}"
    sized = f", arena {source.arena.smallest / 1000:,.1f} kB" if source.arena else ""
    echo(f"{source.name} {source.format} on {source.target}: {right}{speed}{counted}{sized}\n  {found.path}")

"""edgeval devices start."""

from __future__ import annotations

import shlex

import click

from edgeval.cli import options
from edgeval.cli.display import Display
from edgeval.cli.plain import echo


@click.command("start")
@click.argument("name")
@options.quiet
def command(name: str, quiet: bool) -> None:
    """Start an emulated board, to run until it is stopped. Commands that need one start it by themselves.

    \b
    Example:
      edgeval devices start pi4-emulated
    """
    from edgeval.workflow.boards import start_board

    with Display(quiet=quiet) as display:
        login = start_board(name, display)
    echo(f"{name} runs; by hand: {shlex.join(login.ssh())}")

"""edgeval devices stop."""

from __future__ import annotations

import click

from edgeval.cli import options
from edgeval.cli.display import Display


@click.command("stop")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@options.quiet
def command(names: tuple[str, ...], quiet: bool) -> None:
    """Stop emulated boards. Their disks forget everything that was written since they started.

    \b
    Example:
      edgeval devices stop pi4-emulated
    """
    from edgeval.workflow.boards import stop_board

    with Display(quiet=quiet) as display:
        for name in names:
            display.say(f"{name} is stopped" if stop_board(name) else f"{name} did not run")

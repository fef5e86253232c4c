"""edgeval devices remove."""

from __future__ import annotations

import click

from edgeval.cli import options
from edgeval.cli.display import Display


@click.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@options.quiet
def command(names: tuple[str, ...], quiet: bool) -> None:
    """Delete emulated boards: stop them, and remove their keys and the disk images that no other board uses.

    \b
    Example:
      edgeval devices remove pi4-emulated
    """
    from edgeval.workflow.boards import remove_board

    with Display(quiet=quiet) as display:
        for name in names:
            remove_board(name)
            display.say(f"{name} is removed; edgeval devices create {name} makes it again")

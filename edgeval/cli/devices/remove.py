"""edgeval devices remove."""

from __future__ import annotations

import click


@click.command("remove")
@click.argument("name")
def command(name: str) -> None:
    """Stop an emulated board and delete its keys, and its disk image unless another board uses it.

    \b
    Example:
      edgeval devices remove pi4-emulated
    """
    from edgeval.workflow.boards import remove_board

    remove_board(name)
    click.echo(f"{name} is removed; edgeval devices create {name} makes it again")

"""edgeval devices stop."""

from __future__ import annotations

import click


@click.command("stop")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def command(names: tuple[str, ...]) -> None:
    """End an emulated board. Its disk forgets everything that was written since it started.

    \b
    Example:
      edgeval devices stop pi4-emulated
    """
    from edgeval.workflow.boards import stop_board

    for name in names:
        click.echo(f"{name} is stopped" if stop_board(name) else f"{name} did not run")

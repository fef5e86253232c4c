"""edgeval devices create."""

from __future__ import annotations

import click

from edgeval.cli import options
from edgeval.cli.display import Display
from edgeval.cli.plain import echo


@click.command("create")
@click.argument("name")
@click.option("--rebuild", is_flag=True, help="Build the disk image again although it is there.")
@options.quiet
def command(name: str, rebuild: bool, quiet: bool) -> None:
    """Build an emulated Arm board: a true Debian with sshd, Python and the edge runtimes, run by qemu.

    Needs no root. The disk image is kept in the user's cache folder and shared by all boards of the same contents.

    \b
    Example:
      edgeval devices create pi4-emulated
    """
    from edgeval.workflow.boards import create_board

    with Display(quiet=quiet) as display:
        said = create_board(name, display, rebuild=rebuild)
    echo(said)

"""edgeval devices show."""

from __future__ import annotations

import click

from edgeval.cli.plain import echo


@click.command("show")
@click.argument("name")
def command(name: str) -> None:
    """One device card as it is understood, with all that it leaves to defaults, as TOML.

    \b
    Example:
      edgeval devices show rpi4
    """
    from edgeval.records.target import load_target
    from edgeval.records.toml import as_toml

    card = load_target(name)
    echo(f"# {card.path}\n{as_toml(card.table())}", nl=False)

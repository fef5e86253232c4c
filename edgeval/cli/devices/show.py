"""edgeval devices show."""

from __future__ import annotations

import click


@click.command("show")
@click.argument("name")
def command(name: str) -> None:
    """One device card, as it is understood.

    \b
    Example:
      edgeval devices show rpi4
    """
    from edgeval.records.target import load_target

    card = load_target(name)
    click.echo(f"# {card.path}")
    click.echo(card.model_dump_json(indent=1, by_alias=True, exclude_none=True))

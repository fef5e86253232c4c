"""edgeval devices list."""

from __future__ import annotations

import click


@click.command("list")
def command() -> None:
    """All device cards by name."""
    from edgeval.errors import CardError
    from edgeval.records.cards import available
    from edgeval.records.target import load_target

    for name in sorted(available("devices")):
        try:
            card = load_target(name)
        except CardError as error:
            click.echo(f"edgeval: {name} is left out: {error}", err=True)
            continue
        named = [one for one in (card.emulate.board, card.emulate.card) if one] if card.emulate else []
        stand_in = f"  (--emulate: {' or '.join(named)}, {card.emulate.fidelity})" if card.emulate else ""
        click.echo(f"{name:20} {card.kind:8} {card.summary}{stand_in}")

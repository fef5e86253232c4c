"""edgeval devices list."""

from __future__ import annotations

import click


@click.command("list")
def command() -> None:
    """All device cards by name."""
    from edgeval.records.cards import available
    from edgeval.records.target import load_target

    for name in sorted(available("devices")):
        card = load_target(name)
        stand_in = f"  (--emulate: {card.emulate.card}, {card.emulate.fidelity})" if card.emulate else ""
        click.echo(f"{name:20} {card.kind:8} {card.summary}{stand_in}")

"""edgeval devices."""

from __future__ import annotations

import click


@click.group()
def devices() -> None:
    """The devices that edgeval knows: one TOML card each.

    Cards are looked for in ./devices, ~/.config/edgeval/devices, and among the shipped ones.
    """


@devices.command("list")
def list_devices() -> None:
    """All device cards by name."""
    from edgeval.records.cards import available
    from edgeval.records.target import load_target

    for name in sorted(available("devices")):
        card = load_target(name)
        stand_in = f"  (--emulate: {card.emulate.card}, {card.emulate.fidelity})" if card.emulate else ""
        click.echo(f"{name:20} {card.kind:8} {card.summary}{stand_in}")


@devices.command()
@click.argument("name")
def show(name: str) -> None:
    """One device card, as it is understood.

    \b
    Example:
      edgeval devices show rpi4
    """
    from edgeval.records.target import load_target

    card = load_target(name)
    click.echo(f"# {card.path}")
    click.echo(card.model_dump_json(indent=1, by_alias=True, exclude_none=True))

"""edgeval devices list."""

from __future__ import annotations

import click

from edgeval.cli.plain import echo

WIDTH, COLUMN = 80, 28


@click.command("list")
def command() -> None:
    """All device cards by name: kind, what it is, and what stands in for it with --emulate.

    \b
    Example:
      edgeval devices list
    """
    from edgeval.errors import CardError
    from edgeval.records.cards import available
    from edgeval.records.target import load_target

    for name in sorted(available("devices")):
        try:
            card = load_target(name)
        except CardError as error:
            echo(f"edgeval: {name} is left out: {error}", err=True)
            continue
        echo(_hanging(f"{name:18} {card.kind:8} ", card.summary))
        if card.tags:
            echo(_hanging("", f"tags: {', '.join(card.tags)}"))
        if card.emulate:
            named = [one for one in (card.emulate.board, card.emulate.card) if one]
            echo(_hanging("", f"--emulate: {' or '.join(named)}, {card.emulate.fidelity}"))


def _hanging(head: str, text: str) -> str:
    """Text behind a head, its lines below one another in 80 columns."""
    indent = " " * COLUMN
    return click.wrap_text(text, WIDTH, initial_indent=f"{head:{COLUMN}}", subsequent_indent=indent) if text else head

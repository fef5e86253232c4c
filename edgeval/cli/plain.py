"""Plain text on the terminal: what a card, a file or a device put into it cannot act there."""

from __future__ import annotations

import click


def plain(text: str) -> str:
    """The text with every character spelt out that moves a cursor, colours, or turns the reading direction."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def echo(text: str, *, nl: bool = True, err: bool = False) -> None:
    """Print it."""
    click.echo(plain(text), nl=nl, err=err)

"""edgeval devices status."""

from __future__ import annotations

import click

from edgeval.cli.plain import echo

HEAD = ("name", "state", "port", "pid", "uptime", "image")


@click.command("status")
def command() -> None:
    """Emulated boards: what is created, what runs, where, since when.

    \b
    Example:
      edgeval devices status
    """
    from edgeval.workflow.boards import states

    rows = [HEAD]
    for found in states():
        up = "-" if found.uptime_s is None else f"{found.uptime_s:,.0f} s"
        image = "-" if found.image_mb is None else f"{found.image_mb:,} MB"
        rows.append((found.name, found.state, str(found.port or "-"), str(found.pid or "-"), up, image))
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, state, *figures in rows:
        right = "  ".join(f"{text:>{width}}" for text, width in zip(figures, wide[2:], strict=True))
        echo(f"{name:{wide[0]}}  {state:{wide[1]}}  {right}")
    if any(row[1] == "out of date" for row in rows):
        echo("out of date: made by another version of edgeval; edgeval devices create NAME makes it anew")

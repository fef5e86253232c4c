"""edgeval devices status."""

from __future__ import annotations

import click


@click.command("status")
def command() -> None:
    """Emulated boards: what is created, what runs, where, since when."""
    from edgeval.workflow.boards import states

    click.echo(f"{'name':20} {'state':12} {'port':>6} {'pid':>8} {'uptime':>8} {'image':>8}")
    for found in states():
        up = "-" if found.uptime_s is None else f"{found.uptime_s:,.0f} s"
        image = "-" if found.image_mb is None else f"{found.image_mb:,} MB"
        click.echo(f"{found.name:20} {found.state:12} {found.port or '-':>6} {found.pid or '-':>8} {up:>8} {image:>8}")

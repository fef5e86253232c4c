"""edgeval doctor."""

from __future__ import annotations

import click

from edgeval.cli import options


@click.command()
@options.json_file
def doctor(json_to: str | None) -> None:
    """What this machine can do: runtimes, versions, GPU, tools, and what to install for the rest.

    \b
    Example:
      edgeval doctor
    """
    import json

    from edgeval.workflow.doctor import examine

    found = examine()
    lines = [f"{'ok  ' if item.ok else '--  '}{item.name:24} {item.state}" for item in found]
    options.emit("\n".join(lines), lambda: json.dumps([vars(item) for item in found], indent=1), json_to)

"""Write docs/cli.md from the commands themselves:  python docs/make_cli.py [FILE]"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from edgeval.cli import VERBS, cli

PAGE = Path(__file__).with_name("cli.md")


def page() -> str:
    """Every command's help, in the order of a user's first day."""
    parts = ["# Command line\n\nWritten from the commands by `python docs/make_cli.py`.\n", _section("edgeval", cli)]
    for verb in VERBS:
        command = cli.get_command(click.Context(cli), verb)
        assert command is not None
        parts.append(_section(f"edgeval {verb}", command))
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                parts.append(_section(f"edgeval {verb} {name}", inner))
    return "\n".join(parts)


def _section(name: str, command: click.Command) -> str:
    """One command's help under its name."""
    context = click.Context(command, info_name=name, **{**cli.context_settings, "terminal_width": 100})
    return f"## {name}\n\n```text\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else PAGE).write_text(page(), encoding="utf-8")

"""A group of commands of which each is imported when it is used: `edgeval --help` answers at once."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class Lazy(click.Group):
    """Commands by name with a line of help each; NAME is `command`, or else NAME, in the package's module NAME."""

    def __init__(self, *given: Any, named: Mapping[str, str], package: str, **options: Any) -> None:
        super().__init__(*given, **options)
        self.named, self.package = named, package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a user meets them."""
        return list(self.named)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None."""
        if cmd_name not in self.named:
            return None
        module = vars(importlib.import_module(f"{self.package}.{cmd_name}"))
        command: click.Command = module.get("command") or module[cmd_name]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.named.items()))

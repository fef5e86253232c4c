"""edgeval devices: one file a command, each loaded only when it is asked for."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "add": "Add a device that is reached over SSH.",
    "list": "All device cards by name.",
    "show": "One device card, as it is understood.",
    "check": "What a device lacks, and the command that mends it.",
    "clean": "Remove what edgeval keeps on a device.",
    "create": "Build an emulated Arm board.",
    "start": "Boot an emulated board.",
    "stop": "End an emulated board.",
    "status": "Emulated boards: what is created, what runs.",
    "remove": "Delete an emulated board.",
}


class Devices(click.Group):
    """Commands by name; `edgeval devices NAME` is `command` in the module NAME."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of a device's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"edgeval.cli.devices.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Devices)
def devices() -> None:
    """The devices that edgeval knows: one TOML card each.

    Cards are looked for in ./devices, ~/.config/edgeval/devices, and among the shipped ones.
    """

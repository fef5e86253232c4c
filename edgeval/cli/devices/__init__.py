"""edgeval devices: one file a command, each loaded only when it is asked for."""

from __future__ import annotations

import click

from edgeval.cli.lazy import Lazy

COMMANDS = {
    "add": "Add a device that is reached over SSH.",
    "list": "All device cards by name.",
    "show": "One device card, as it is understood.",
    "check": "What a device lacks, and the command that mends it.",
    "clean": "Remove what edgeval keeps on a device.",
    "create": "Build an emulated Arm board.",
    "start": "Start an emulated board.",
    "stop": "Stop emulated boards.",
    "status": "Emulated boards: what is created, what runs.",
    "remove": "Delete emulated boards.",
}


@click.group(cls=Lazy, named=COMMANDS, package="edgeval.cli.devices")
def devices() -> None:
    """The devices that edgeval knows: one TOML card each.

    Their names are what --target takes. Cards are looked for in ./devices, ~/.config/edgeval/devices, and among the
    shipped ones.

    \b
    Examples:
      edgeval devices list
      edgeval devices check rpi4
      edgeval devices add raspberrypi.local --name lab-pi --user pi
      edgeval devices create pi4-emulated
    """

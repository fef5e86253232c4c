"""edgeval simulate: one file a kind of data."""

from __future__ import annotations

import click

from edgeval.cli.lazy import Lazy

COMMANDS = {"cri3": "Twisted bilayer CrI3: one magnet, its critical angle, or a data set of pictures."}


@click.group(cls=Lazy, named=COMMANDS, package="edgeval.cli.simulate")
def simulate() -> None:
    """Simulated data for regression studies.

    \b
    Examples:
      edgeval simulate cri3 --theta 1.2 --j 2 --d 0.1
      edgeval simulate cri3 -n 10000 --out magnets
    """

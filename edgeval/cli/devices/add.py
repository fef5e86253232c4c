"""edgeval devices add."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display
from edgeval.cli.plain import echo

if TYPE_CHECKING:
    from edgeval.run.ssh.hostkeys import HostKey


@click.command("add")
@click.argument("host")
@click.option("--name", help="What the device is to be called.  [default: the host's first word]")
@click.option("--user", help="The user to log in as.  [default: as ssh is configured]")
@click.option("--port", type=click.IntRange(1, 65_535), help="The port.  [default: as ssh is configured]")
@click.option("--identity", metavar="FILE", help="A private key.  [default: as ssh is configured]")
@click.option("--python", metavar="PYTHON", help="The Python to use there.  [default: python3]")
@click.option("--workdir", metavar="FOLDER", help="Where files lie there.  [default: ~/.cache/edgeval-device]")
@click.option("--fingerprint", metavar="SHA256:...", help="The host key that is expected, instead of a question.")
@options.quiet
def command(host: str, name: str | None, fingerprint: str | None, quiet: bool, **given: Any) -> None:
    """Add a device that is reached over SSH: accept its host key, and write devices/NAME.toml.

    HOST is a name, an address or an alias of ~/.ssh/config. The key's fingerprint is shown, and nothing is accepted
    without a yes or the right --fingerprint.

    \b
    Example:
      edgeval devices add raspberrypi.local --name lab-pi --user pi
    """
    from edgeval.records.target import Transport
    from edgeval.run.ssh.words import device_name
    from edgeval.workflow.add import add_device

    values = {key: value for key, value in given.items() if value is not None}
    transport = Transport(type="ssh", host=host, **values)
    with Display(quiet=quiet) as display:
        added = add_device(name or device_name(host), transport, _confirm, display, fingerprint)
    facts = added.facts
    runtimes = ", ".join(f"{key} {value}" for key, value in facts["runtimes"].items()) or "no runtime"
    echo(f"{facts.get('board') or facts.get('machine')}: Python {facts.get('python')}, {runtimes}")
    echo(f"card: {added.card}    next: edgeval devices check {added.card.stem}")


def _confirm(key: HostKey) -> bool:
    """Ask at a terminal; without one nobody accepts."""
    echo(f"The device shows this {key.kind} key, which is not known here yet:\n  {key.fingerprint}", err=True)
    echo("On the device: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub shows the same.", err=True)
    return sys.stdin.isatty() and click.confirm("Is it the same, and shall it be accepted?", err=True)

"""edgeval devices check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeval.cli import options
from edgeval.cli.display import Display

if TYPE_CHECKING:
    from edgeval.workflow.check import Checkup

MARKS = {"ok": "ok", "note": "note", "missing": "MISSING"}


@click.command("check")
@click.argument("name")
@options.quiet
@options.json_file
def command(name: str, quiet: bool, json_to: str | None) -> int:
    """What is fine on a device, what is missing, and the command that mends it, in the order to mend it.

    Nothing is changed there. Ends with 0 if nothing is missing, else with 4.

    \b
    Examples:
      edgeval devices check desktop
      edgeval devices check rpi4 --json -
    """
    import json

    from edgeval.workflow.check import check_device

    with Display(quiet=quiet or json_to == "-") as display:
        checkup = check_device(name, display)
    body = {
        "schema": "edgeval/check/1",
        "device": checkup.target.name,
        "complete": checkup.complete,
        "findings": [vars(item) for item in checkup.findings],
    }
    options.emit(_text(checkup), lambda: json.dumps(body, indent=1), json_to)
    return 0 if checkup.complete else 4


def _text(checkup: Checkup) -> str:
    """One line a finding, what mends it below."""
    lines = []
    for item in checkup.findings:
        lines.append(f"{MARKS[item.state]:8} {item.name:10} {item.said}")
        lines += [f"{'':19} > {step}" for step in item.mend]
    missing = sum(item.state == "missing" for item in checkup.findings)
    if missing:
        again = f"edgeval devices check {checkup.target.typed}"
        lines.append(f"\n{missing} missing: take the steps (>) from the top, then again: {again}")
    else:
        lines.append(f"\nnothing is missing: edgeval compare --target {checkup.target.typed}")
    return "\n".join(lines)

"""Remove what edgeval keeps on a device."""

from __future__ import annotations

from dataclasses import dataclass

from edgeval.errors import InputError
from edgeval.records.reporter import Reporter
from edgeval.records.target import load_target
from edgeval.run.ssh import SshHost
from edgeval.workflow.bench import open_host
from edgeval.workflow.boards import board_of


@dataclass(frozen=True)
class Cleaned:
    """A folder on a device, and what lies or lay in it; left: things in it that are not edgeval's, which stay."""

    folder: str
    files: int
    size: int
    left: int


def clean_device(name: str, reporter: Reporter, *, dry: bool) -> Cleaned:
    """Remove the folder, or with `dry` only count. Raises CardError for a folder that is not edgeval's."""
    target = load_target(name)
    if target.transport.type == "emulated" and board_of(target).running is None:
        hint = "the next run sends again what it needs"
        raise InputError(f"{target.name} does not run, and forgets everything when it stops", seen=name, hint=hint)
    if target.transport.type not in ("ssh", "emulated"):
        hint = "edgeval devices show tells how it is reached"
        raise InputError(
            f"{target.name} is not reached over ssh: nothing of edgeval's stays on it", seen=name, hint=hint
        )
    with open_host(target, reporter) as host:
        assert isinstance(host, SshHost)
        found = host.clean(dry=dry)
    return Cleaned(str(found["folder"]), int(found["files"]), int(found["bytes"]), int(found["left"]))

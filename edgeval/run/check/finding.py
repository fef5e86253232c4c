"""One thing that was looked at on a board, and what mends it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any, Literal

from edgeval.records.cards import shelves
from edgeval.records.target import Target

APT = ("debian", "raspbian", "ubuntu", "mendel")

Survey = dict[str, Any]
State = Literal["ok", "missing", "note"]


@dataclass(frozen=True)
class Finding:
    """What was looked at: `ok`, `missing` (nothing runs, or not what the card promises), or `note` (worth knowing).

    mend: commands and steps in the order in which a person would take them.
    """

    name: str
    state: State
    said: str
    mend: tuple[str, ...] = ()


def on_board(target: Target, command: str) -> str:
    """A command line for this computer that runs `command` in the board's shell; a terminal for sudo's question."""
    way = target.transport
    if way.type == "local" or way.host is None:
        return command
    port = ["-p", str(way.port)] if way.port else []
    return f"{shlex.join(['ssh', '-t', *_options(target), *port, '--', _place(target)])} {_quoted(command)}"


def copied(target: Target, source: str, destination: str) -> str:
    """A command line for this computer that copies a folder into the board's home folder."""
    way = target.transport
    port = ["-P", str(way.port)] if way.port else []
    return shlex.join(["scp", "-r", *_options(target), *port, "--", source, f"{_place(target)}:{destination}"])


def packages(survey: Survey, target: Target, *names: str) -> str:
    """How the board's own system installs packages."""
    if survey.get("os_id") not in APT:
        return f"install {' and '.join(names)} with the package manager of {survey.get('os') or 'the board'}"
    sudo = "" if survey.get("root") else "sudo "
    joined = " ".join(names)
    return on_board(target, f"{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends {joined}")


def as_root(survey: Survey, target: Target, command: str) -> str:
    """A command that needs the rights of root."""
    return on_board(target, command if survey.get("root") else f"sudo {command}")


def card_line(target: Target, line: str, table: str = "transport") -> str:
    """A line to write into the card; into a copy of it where it is a shipped one."""
    return f"write into [{table}] of {card_place(target)}: {line}"


def card_place(target: Target) -> str:
    """The file to edit: the user's own card, or a copy of the shipped one, which hides it."""
    path = target.path
    if not path.name:
        return f"the card of {target.name}"
    if target.explicit or path.parent != shelves("devices")[-1]:
        return str(path)
    return f"devices/{path.name} (mkdir -p devices && cp -n {shlex.quote(str(path))} devices/)"


def _quoted(command: str) -> str:
    """One word for this computer's shell; in double quotes where that reads better and means the same."""
    plain = shlex.quote(command)
    return f'"{command}"' if "'\"'" in plain and not set(command) & set('"$`\\!') else plain


def _options(target: Target) -> list[str]:
    """What ssh and scp take alike."""
    way = target.transport
    config = ["-F", str(way.config)] if way.config else []
    return [*config, *(["-i", way.identity] if way.identity else [])]


def _place(target: Target) -> str:
    way = target.transport
    return f"{way.user}@{way.host}" if way.user else str(way.host)

"""What ssh and the porter report, as the errors that users meet, each with the command that mends it."""

from __future__ import annotations

import re
import shlex
from typing import Any

from edgeval.errors import (
    BenchError,
    CardError,
    EdgevalError,
    IntegrityError,
    LinkLost,
    RuntimeMissing,
    UnreachableError,
)
from edgeval.records.target import Target

CHANGED = (
    "the key that the device shows is not the one that is known for it: either it was installed anew, or another"
    " machine answers in its place. Only if you know why: ssh-keygen -R {known}, then edgeval devices add {host}"
)
# In this order: the first that is found in what ssh wrote.
TEXTS: tuple[tuple[str, str, str], ...] = (
    ("HOST IDENTIFICATION HAS CHANGED", "the host key of {name} has changed: not connected", CHANGED),
    (
        "key verification failed|host key is known for",
        "the host key of {name} is not known yet",
        "look at it and accept it: edgeval devices add {login}{port}{identity} --name {name}",
    ),
    ("UNPROTECTED PRIVATE KEY", "others can read the key for {name}, so ssh refuses it", "chmod 600 on the key file"),
    (
        "Permission denied|authentication failures",
        "{name} does not let this user in",
        "check user and identity in the card; to place your key there: ssh-copy-id {dashed}{login}",
    ),
    ("Bad configuration option|terminating,", "ssh does not accept its configuration", "mend ~/.ssh/config"),
    ("resolve hostname", "{name}: there is no host of that name", "check host in the card, or ~/.ssh/config"),
    ("Connection refused", "nothing listens for ssh on {name}", "is the port right, and ssh enabled on the device?"),
    ("timed out|No route to host|unreachable", "{name} does not answer", "is it switched on and in this network?"),
)
LASTING = 5  # so many of them will not mend themselves
PORTER: dict[str, tuple[type[EdgevalError], str, str]] = {
    "foreign": (
        CardError,
        "the folder on {name} is not one of edgeval's: it is left alone",
        "set workdir in the card's [transport] table to a folder that is empty or not there",
    ),
    "space": (
        BenchError,
        "there is too little space on {name}",
        "edgeval devices clean {name}, or set workdir in the card to a folder on a larger disk",
    ),
    "busy": (BenchError, "{name} is in use by another run", "wait for it, or end it, and run it again"),
    "damaged": (IntegrityError, "a file arrives damaged on {name}", "check the link and run it again"),
    "twice": (LinkLost, "another run is sending the same file to {name}", "run it again"),
    "large": (BenchError, "a file on {name} is too large to be fetched", ""),
    "start": (
        RuntimeMissing,
        "the program cannot be started on {name}",
        "check python in the card's [transport] table",
    ),
    "No space left on device": (BenchError, "the disk of {name} is full", "edgeval devices clean {name}"),
    "Disk quota exceeded": (BenchError, "the disk quota on {name} is used up", "edgeval devices clean {name}"),
}
FOLDER = "set workdir in the card's [transport] table to a folder that this user can write, such as /tmp/edgeval-me"


def refused(target: Target, complaint: str) -> EdgevalError:
    """The error for a connection that ssh did not make, by what it wrote."""
    words = _words(target)
    unknown = ("", "{name} cannot be reached over ssh", "try: ssh {dashed}{login} true")
    _, what, hint = next((row for row in TEXTS if re.search(row[0], complaint, re.I)), unknown)
    if target.emulate:
        hint += "; or add --emulate for its stand-in on this computer (edgeval devices show {name})"
    seen = _telling(complaint) or "no message"
    return UnreachableError(what.format(**words), seen=seen, hint=hint.format(**words))


def lasting(complaint: str) -> bool:
    """Whether trying again is of no use."""
    return any(re.search(pattern, complaint, re.I) for pattern, _, _ in TEXTS[:LASTING])


def no_python(target: Target, status: int, complaint: str) -> EdgevalError:
    """The error for a porter that did not speak though the connection stands."""
    python, seen = target.transport.python, _telling(complaint)
    old = re.search(r"this is Python (\S{1,20})", complaint)
    hint = "set python in the card's [transport] table to a Python 3.7 or later"
    if old:
        return RuntimeMissing(f"{target.name}: {python} is too old", seen=f"Python {old[1]}", hint=hint)
    if status in (126, 127):
        install = f"install it there (sudo apt install python3 python3-numpy), or {hint}"
        return RuntimeMissing(f"there is no {python} on {target.name}", seen=seen, hint=install)
    return BenchError(f"{python} on {target.name} does not work", seen=f"exit status {status}: {seen}", hint=hint)


def porter_error(target: Target, reply: dict[str, Any]) -> EdgevalError:
    """The error for a request that the porter refused."""
    code, seen = str(reply.get("error")), str(reply.get("seen"))
    known = PORTER.get(code)
    if known is None:
        return BenchError(f"the folder on {target.name} cannot be used: {code}", seen=seen, hint=FOLDER)
    kind, what, hint = known
    return kind(what.format(name=target.name), seen=seen, hint=hint.format(name=target.name))


def _telling(complaint: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _words(target: Target) -> dict[str, str]:
    """What messages are filled with."""
    transport = target.transport
    host, port = transport.host or "", transport.port
    login = f"{transport.user}@{host}" if transport.user else host
    return {
        "name": target.name,
        "host": host,
        "login": login,
        "port": f" --port {port}" if port else "",
        "identity": f" --identity {shlex.quote(transport.identity)}" if transport.identity else "",
        "dashed": f"-p {port} " if port else "",
        "known": f"'[{host}]:{port}'" if port not in (None, 22) else host,
    }

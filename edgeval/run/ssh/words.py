"""Command lines of the system's ssh: the user's configuration counts, and no word of a card is taken for an option."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from edgeval.errors import CardError
from edgeval.records.target import Target, Transport

CONFIG = "EDGEVAL_SSH_CONFIG"  # another file than ~/.ssh/config
AGENT = Path(__file__).parents[1] / "agent"
# Plain names only: ssh puts host and user into ProxyCommand and Match exec, where a shell reads them.
HOST = r"[\w:][\w.:%-]*"
USER = r"\w[\w.+-]*\$?"
FIXED = {
    "BatchMode": "yes",  # never ask: there may be nobody
    "ServerAliveInterval": "2",
    "ServerAliveCountMax": "2",
    "LogLevel": "ERROR",
    "RequestTTY": "no",
    "RemoteCommand": "none",
    "PermitLocalCommand": "no",
    "ClearAllForwardings": "yes",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "ControlPersist": "no",
}


def check(target: Target) -> None:
    """Raise CardError for words of a card that cannot be what they should be."""
    transport = target.transport
    rules = (
        ("host", transport.host or "", f"({USER}@)?{HOST}", "a host name, an address or an alias of ~/.ssh/config"),
        ("user", transport.user or "x", USER, "a plain user name"),
        ("python", transport.python, r"[^-].*", "the name or path of a Python on the device"),
        ("workdir", transport.workdir or "/", r"[~/].*", "a folder on the device, from / or ~/ on"),
        ("identity", transport.identity or "x", r"[^-].*", "the path of a private key here"),
    )
    for key, value, rule, wanted in rules:
        if not re.fullmatch(rule, value) or not value.isprintable():
            where = target.path if target.path != Path() else target.name
            raise CardError(f"{where}: {key} of [transport] is not usable", seen=repr(value), hint=f"give {wanted}")
    if transport.identity and not Path(transport.identity).expanduser().is_file():
        raise CardError(f"{target.name}: there is no such key", seen=transport.identity, hint="check identity")


def device_name(host: str) -> str:
    """A name for the device at this host: its first word, or the whole address."""
    bare = host.rpartition("@")[2]
    return re.sub(r"\W+", "-", bare if re.fullmatch(r"[\d.:]+", bare) else bare.split(".")[0]).strip("-")


def options(transport: Transport) -> list[str]:
    """Options that say where and how to connect, without the host."""
    config = transport.config or os.environ.get(CONFIG)
    words = ["-F", str(config)] if config else []
    words += [f"-o{key}={value}" for key, value in FIXED.items()]
    words.append(f"-oConnectTimeout={max(1, round(transport.connect_timeout_s))}")
    words += ["-p", str(transport.port)] if transport.port else []
    words += ["-l", transport.user] if transport.user else []
    words += ["-i", str(Path(transport.identity).expanduser())] if transport.identity else []
    return words


def remote(python: str, request: dict[str, Any]) -> str:
    """The command line for the remote login shell that hands a request to the porter.

    Only the name of the Python is left to quoting; all else is base64, which no shell reads as anything else.
    """
    asked = base64.b64encode(json.dumps(request).encode()).decode()
    return f"exec {_home(python)} -S -E -c {shlex.quote(_program())} {asked}"


def _home(path: str) -> str:
    """A quoted path in which the remote shell still fills in the home."""
    return f'"$HOME"/{shlex.quote(path[2:])}' if path.startswith("~/") else shlex.quote(path)


@cache
def _program() -> str:
    """The porter as one line of Python; of a Python 2 it asks nothing but its version."""
    names = ("replies", "keeper", "porter")
    texts = {name: (AGENT / f"{name}.py").read_text(encoding="utf-8") for name in names}
    start = (
        "import json,sys,types\n"
        "sys.modules['agent']=types.ModuleType('agent')\n"
        f"for name,text in {texts!r}.items():\n"
        "    made=sys.modules['agent.'+name]=types.ModuleType('agent.'+name)\n"
        "    made.__package__='agent'\n"
        "    exec(compile(text,name+'.py','exec'),made.__dict__)\n"
        "sys.exit(sys.modules['agent.porter'].main(json.loads(base64.b64decode(sys.argv[1]).decode())))\n"
    )
    packed = base64.b64encode(zlib.compress(start.encode(), 9)).decode()
    old = 'sys.exit("edgeval: this is Python "+sys.version.split()[0])'
    new = f'exec(zlib.decompress(base64.b64decode("{packed}")))'
    return f"import sys,base64,zlib;sys.version_info<(3,7) and {old};{new}"

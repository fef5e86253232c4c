"""Host keys: what a device shows, whether the user's own files know it, and writing one down once it was looked at."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeval.errors import BenchError, RuntimeMissing, UnreachableError
from edgeval.records.target import Target
from edgeval.run.ssh.faults import refused
from edgeval.run.ssh.words import check, options

# No way to log in is offered: the key is shown before that.
LOOK = ("-oPreferredAuthentications=none", "-oUpdateHostKeys=no", "-oCheckHostIP=no")
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512,rsa-sha2-256")
GREET_S = 30.0  # for a slow board to show its key
UNKNOWN = r"key verification failed|host key is known for"
CHANGED = "IDENTIFICATION HAS CHANGED"


@dataclass(frozen=True)
class HostKey:
    """A key that a device showed: its lines for known_hosts, and how people compare it."""

    lines: str
    fingerprint: str
    kind: str


def is_known(target: Target) -> bool:
    """Whether the user's files know the key that the device shows. Raises UnreachableError, also for a changed one."""
    check(target)
    said = _ssh(target, *LOOK, "-oStrictHostKeyChecking=yes")
    if re.search(UNKNOWN, said, re.I) and CHANGED not in said:
        return False
    if "Permission denied" not in said and said:
        raise refused(target, said)
    return True


def shown(target: Target, fingerprint: str | None = None) -> HostKey:
    """The key that the device shows, over the same way as any connection; the one of this fingerprint if it has it."""
    found = _shown(target, ())
    if fingerprint in (None, found.fingerprint):
        return found
    others = (_shown(target, (f"-oHostKeyAlgorithms={kind}",)) for kind in KINDS)
    return next((key for key in _present(others) if key.fingerprint == fingerprint), found)


def remember(target: Target, key: HostKey) -> Path:
    """Write the key into the user's known_hosts file, as ssh itself would. Raises BenchError."""
    place = _known_hosts(target)
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(place, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), "r+", encoding="utf-8") as file:
            text = file.read()
            file.write(("" if text.endswith("\n") or not text else "\n") + key.lines)
    except OSError as error:
        raise BenchError("the host key cannot be written down", seen=error, hint="check the file") from error
    return place


def _shown(target: Target, more: Sequence[str]) -> HostKey:
    """Let ssh write the key into a file of its own, and read it there."""
    with tempfile.TemporaryDirectory(prefix="edgeval-") as folder:
        file = Path(folder) / "known_hosts"
        own = (f"-oUserKnownHostsFile={file}", "-oGlobalKnownHostsFile=/dev/null", "-oStrictHostKeyChecking=accept-new")
        said = _ssh(target, *LOOK, *own, *more)
        if not file.is_file():
            raise refused(target, said)
        listed = subprocess.run(["ssh-keygen", "-lf", file], capture_output=True, text=True, check=False).stdout
        match = re.search(r"(SHA256:[\w+/=]+) .*\((\S+)\)", listed)
        if match is None:
            raise BenchError("the host key cannot be read", seen=listed.strip() or "nothing", hint="update OpenSSH")
        return HostKey(file.read_text(encoding="utf-8"), match[1], match[2])


def _present(keys: Iterator[HostKey]) -> Iterator[HostKey]:
    """Those that the device has; it refuses to show a kind that it lacks."""
    while True:
        try:
            yield next(keys)
        except UnreachableError:
            continue
        except StopIteration:
            return


def _known_hosts(target: Target) -> Path:
    """The first of the user's known_hosts files, by ssh's own account. Raises BenchError."""
    listed = _run(target, "-G").stdout
    match = re.search(r"^userknownhostsfile (\S+)", listed, re.M)
    if match is None or match[1] in ("none", os.devnull):
        raise BenchError("ssh keeps no known hosts here", seen=match and match[1], hint="set UserKnownHostsFile")
    return Path(match[1]).expanduser()


def _ssh(target: Target, *more: str) -> str:
    """What ssh says of a connection that may not log in."""
    return _run(target, *more).stderr


def _run(target: Target, *more: str) -> subprocess.CompletedProcess[str]:
    words = ["ssh", "-oControlPath=none", *more, *options(target.transport), "--", target.transport.host or "", "true"]
    try:
        return subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=target.transport.connect_timeout_s + GREET_S,
        )
    except subprocess.TimeoutExpired as error:
        raise refused(target, "timed out: no key was shown") from error
    except FileNotFoundError as error:
        hint = "sudo apt install openssh-client"
        raise RuntimeMissing("there is no ssh on this computer", seen="ssh", hint=hint) from error

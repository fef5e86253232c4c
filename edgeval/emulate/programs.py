"""The programs of this computer that build and run a board, and the one command that installs what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from edgeval.errors import BenchError, RuntimeMissing

DEBIAN = {
    "cpio": "cpio",
    "fakeroot": "fakeroot",
    "mkfs.ext4": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "qemu-system-aarch64": "qemu-system-arm",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
KEYRING = "debian-archive-keyring"  # on Ubuntu it does not come by itself
BUILD = ("mmdebstrap", "fakeroot", "cpio", "mkfs.ext4")
BOOT = ("qemu-system-aarch64", "ssh", "ssh-keygen", "cpio")
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])  # users have no sbin


def require(names: Iterable[str]) -> None:
    """Raise RuntimeMissing with the command that installs every program that is not there."""
    absent = [name for name in names if shutil.which(name, path=PATH) is None]
    if not absent:
        return
    if not sys.platform.startswith("linux"):
        raise BenchError("emulated boards are built on Linux only", seen=sys.platform, hint="use a real board over SSH")
    packages = {DEBIAN[name] for name in absent} | ({KEYRING} if "mmdebstrap" in absent else set())
    hint = f"run: sudo apt-get install -y --no-install-recommends {' '.join(sorted(packages))}"
    raise RuntimeMissing("programs that the emulated board needs are missing", seen=", ".join(absent), hint=hint)


def start(argv: Sequence[str | Path], log: Path, cwd: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a program; what it says goes to `log`."""
    with log.open("ab") as said:
        return subprocess.Popen(
            [str(word) for word in argv],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env={**os.environ, "PATH": PATH, "LC_ALL": "C.UTF-8"},
        )


def finish(child: subprocess.Popen[bytes], log: Path, what: str) -> None:
    """Wait for a program. Raises BenchError with the end of what it said, unless it ended well."""
    status = child.wait()
    if status:
        seen = f"exit status {status}: {tail(log, 1)}"
        raise BenchError(f"{what} failed", seen=seen, hint=f"its whole output is in {log}")


def run(argv: Sequence[str | Path], log: Path, what: str, *, cwd: Path | None = None) -> None:
    """Run a program to its end. Raises BenchError."""
    finish(start(argv, log, cwd), log, what)


def tail(log: Path, lines: int) -> str:
    """The last lines of a log that say something."""
    try:
        text = log.read_bytes()[-8000:].decode("utf-8", "replace")
    except OSError:
        return "nothing"
    said = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(said[-lines:]) or "nothing"

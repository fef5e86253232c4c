"""Shared libraries: where one lies, and for which processor it was built."""

from __future__ import annotations

import glob
import os
import struct
import sys
from typing import Iterator, Optional, Tuple

MACHINES = {3: "x86 (32-bit)", 40: "armv7 (32-bit)", 62: "x86_64", 183: "aarch64", 243: "riscv"}
FOLDERS = ("/lib", "/usr/lib", "/usr/local/lib", "/lib64", "/usr/lib64")


def locate(name: str) -> Optional[str]:
    """The file behind a library's name or path, None if there is none."""
    if os.sep in name:
        return name if os.path.isfile(name) else None
    for folder in _folders():
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    return None


def architecture(path: str) -> Optional[str]:
    """The processor that an ELF file is for: `aarch64`; None for what is no ELF file."""
    header = _header(path)
    if header is None:
        return None
    return MACHINES.get(header[1], "machine {}".format(header[1]))


def is_foreign(path: str) -> bool:
    """Whether a library cannot go into this Python because of its processor or word size."""
    own, other = _header(sys.executable), _header(path)
    return own is not None and other is not None and own != other


def own_architecture() -> str:
    """The processor that this Python was built for."""
    return architecture(sys.executable) or "unknown"


def _folders() -> Iterator[str]:
    """Folders that the loader searches, roughly in its order."""
    for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":"):
        if folder:
            yield folder
    for folder in FOLDERS:
        yield folder
        for inner in sorted(glob.glob(os.path.join(folder, "*-linux-*"))):
            yield inner


def _header(path: str) -> Optional[Tuple[int, int]]:
    """Word size (1: 32 bits, 2: 64 bits) and machine number of an ELF file."""
    try:
        with open(path, "rb") as file:
            head = file.read(20)
    except OSError:
        return None
    if len(head) < 20 or head[:4] != b"\x7fELF":
        return None
    order = "<" if head[5] == 1 else ">"
    return head[4], int(struct.unpack(order + "H", head[18:20])[0])

"""The keys of one board: who may log in, and how the board proves that it is the board. Made once, readable by you."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from edgeval.emulate.image import Image, pack
from edgeval.errors import BenchError

IDENTITY, HOST_KEY, KNOWN_HOSTS, INITRD = "id_ed25519", "host_key", "known_hosts", "initrd.cpio"


def make_keys(folder: Path, name: str) -> None:
    """One key pair for the user and one for the board, unless they are there. `folder` is private."""
    for key in (IDENTITY, HOST_KEY):
        if (folder / key).exists() and (folder / f"{key}.pub").exists():
            continue
        (folder / key).unlink(missing_ok=True)
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"edgeval {name}", "-f", str(folder / key)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise BenchError("a key for the board cannot be made", seen=done.stderr.strip(), hint="check the disk")
        (folder / key).chmod(0o600)


def trust(folder: Path, known_hosts: Path, port: int) -> None:
    """Write the board's own key down as the only one that is accepted at this port."""
    kind, key = (folder / f"{HOST_KEY}.pub").read_text(encoding="utf-8").split()[:2]
    known_hosts.write_text(f"[127.0.0.1]:{port} {kind} {key}\n", encoding="utf-8")


def board_initrd(image: Image, folder: Path, name: str) -> Path:
    """The image's first file system with this board's keys and name behind it: the image itself holds no secret."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        keys = Path(work) / "tree" / "keys"
        keys.mkdir(parents=True)
        shutil.copyfile(folder / HOST_KEY, keys / "host_key")
        (keys / "host_key").chmod(0o600)
        shutil.copyfile(folder / f"{IDENTITY}.pub", keys / "authorized_keys")
        (keys / "name").write_text(name + "\n", encoding="utf-8")
        pack(keys.parent, Path(work) / "keys.cpio", folder / "pack.log")
        place = Path(work) / "whole"
        place.touch(mode=0o600)
        with place.open("wb") as out:
            for part in (image.initrd, Path(work) / "keys.cpio"):
                with part.open("rb") as file:
                    shutil.copyfileobj(file, out)
                out.write(b"\0" * (-out.tell() % 512))
        place.replace(folder / INITRD)
    return folder / INITRD

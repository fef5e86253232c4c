"""The keys of one board and ssh's settings for it: who may log in, and how the board proves that it is the board."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from edgeval.emulate.image import Image, pack
from edgeval.emulate.pins import USER
from edgeval.errors import BenchError

IDENTITY, HOST_KEY, KNOWN_HOSTS, CONFIG = "id_ed25519", "host_key", "known_hosts", "ssh_config"
SETTINGS = """Host {name}
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile "{identity}"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile "{known_hosts}"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
"""


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


def write_settings(home: Path, folder: Path, name: str, port: int) -> Path:
    """Settings for `ssh -F FILE NAME`: the board's own key is the only one that is accepted at this port.

    `home` has the keys; `folder` is that of the running machine.
    """
    kind, key = (home / f"{HOST_KEY}.pub").read_text(encoding="utf-8").split()[:2]
    (folder / KNOWN_HOSTS).write_text(f"[127.0.0.1]:{port} {kind} {key}\n", encoding="utf-8")
    paths = {"identity": home / IDENTITY, "known_hosts": folder / KNOWN_HOSTS}
    plain = {key: str(path).replace("%", "%%") for key, path in paths.items()}  # ssh reads % as a placeholder
    text = SETTINGS.format(name=name, port=port, user=USER, **plain)
    (folder / CONFIG).write_text(text, encoding="utf-8")
    return folder / CONFIG


def board_initrd(image: Image, home: Path, name: str) -> Path:
    """The image's first file system with this board's keys and name behind it: the image itself holds no secret."""
    with tempfile.TemporaryDirectory(dir=home) as work:
        keys = Path(work) / "tree" / "keys"
        keys.mkdir(parents=True)
        shutil.copyfile(home / HOST_KEY, keys / "host_key")
        (keys / "host_key").chmod(0o600)
        shutil.copyfile(home / f"{IDENTITY}.pub", keys / "authorized_keys")
        (keys / "name").write_text(name + "\n", encoding="utf-8")
        pack(keys.parent, Path(work) / "keys.cpio", home / "pack.log")
        place = Path(work) / "whole"
        place.touch(mode=0o600)
        with place.open("wb") as out:
            for part in (image.initrd, Path(work) / "keys.cpio"):
                with part.open("rb") as file:
                    shutil.copyfileobj(file, out)
                out.write(b"\0" * (-out.tell() % 512))
        place.replace(home / "initrd.cpio")
    return home / "initrd.cpio"

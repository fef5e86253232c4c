"""What only `edgeval devices check` asks for: installer, disk, buses, groups, clock and network."""

from __future__ import annotations

import glob
import grp
import os
import pwd
import shutil
import socket
import tempfile
import threading
import time
from typing import Any, Dict, List, Optional, Sequence

from . import parse
from .facts import facts, hardware, text
from .installed import installer

NETWORK_S = 4.0
SOURCES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/*", "/etc/pip.conf", "~/.config/pip/pip.conf")
LIBRARIES = ("/usr/lib", "/usr/lib/*-linux-gnu*", "/usr/local/lib", "/lib", "/lib/*-linux-gnu*", "/opt/*/lib")


def survey(folder: str, paths: Sequence[str] = ()) -> Dict[str, Any]:
    """Facts and more, for a working folder and for device nodes or libraries that a card names."""
    usb, pci = hardware()
    release = parse.os_release(text("/etc/os-release"))
    more = {
        "installer": installer(),
        "os_id": release.get("id"),
        "os_codename": release.get("version_codename"),
        "user": user(),
        "home": os.path.expanduser("~"),
        "root": os.getuid() == 0,
        "sudo": shutil.which("sudo") is not None,
        "groups": groups(),
        "usb": usb,
        "pci": pci,
        "nodes": sorted(glob.glob("/dev/apex_*")),
        "paths": {path: access(path) for path in paths},
        "folder": folder,
        "folder_error": unwritable(folder),
        "disk_free_mb": disk_free_mb(folder),
        "time": time.time(),
        "network": network(),
    }
    return dict(facts(), **more)


def user() -> str:
    """The name of the user, or the number of one that has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def groups() -> List[str]:
    """Names of the groups that this process is in."""
    names = []
    for number in {os.getgid(), *os.getgroups()}:
        try:
            names.append(grp.getgrgid(number).gr_name)
        except KeyError:
            names.append(str(number))
    return sorted(names)


def access(path: str) -> Optional[str]:
    """How a device node, or a library by path or bare name, can be used: open, denied, or None where there is none."""
    places = [path] if path.startswith("/") else [p for f in LIBRARIES for p in glob.glob(os.path.join(f, path))]
    there = [place for place in places if os.path.exists(place)]
    if not there:
        return None
    return "open" if any(os.access(place, os.R_OK) for place in there) else "denied"


def unwritable(folder: str) -> Optional[str]:
    """Why nothing can be written in this folder, or where it would be made; None if it can."""
    try:
        with tempfile.NamedTemporaryFile(dir=_standing(folder)) as file:
            file.write(b"0" * 4096)
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    return None


def disk_free_mb(folder: str) -> Optional[int]:
    """MiB that this user can still write there."""
    try:
        return shutil.disk_usage(_standing(folder)).free // (1 << 20)
    except OSError:
        return None


def network() -> Optional[bool]:
    """Whether the board reaches a server that it takes packages from; None where that cannot be told."""
    if any(os.environ.get(name) for name in ("http_proxy", "https_proxy", "HTTPS_PROXY")):
        return None
    files = [path for pattern in SOURCES for path in sorted(glob.glob(os.path.expanduser(pattern)))]
    hosts = [host for path in files for host in parse.package_hosts(text(path))]
    if not hosts:
        return None
    answers: List[bool] = []
    # Names are looked up in a thread: without a name server that alone may take half a minute.
    thread = threading.Thread(target=lambda: answers.append(_reaches(hosts[:2])), daemon=True)
    thread.start()
    thread.join(NETWORK_S)
    return bool(answers and answers[0])


def _reaches(hosts: Sequence[str]) -> bool:
    """Whether one of them takes a connection."""
    for host in hosts:
        try:
            socket.create_connection((host, 80), NETWORK_S / 2).close()
            return True
        except OSError:
            continue
    return False


def _standing(folder: str) -> str:
    """The folder, or the nearest one above it that exists."""
    place = os.path.abspath(os.path.expanduser(folder))
    while not os.path.isdir(place) and place != os.path.dirname(place):
        place = os.path.dirname(place)
    return place

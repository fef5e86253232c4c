"""What is laid out on the board's disk beside Debian's own files: accounts, sshd's settings, the Python packages."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from edgeval.emulate import pins
from edgeval.emulate.programs import run
from edgeval.errors import BenchError

# Where each file of guest/ goes; `init` goes into the first file system.
PLACES = {
    "start": "sbin/board-start",
    "inittab": "etc/inittab",
    "sshd_config": "etc/ssh/sshd_config",
    "passwd": "etc/passwd",
    "group": "etc/group",
    "shadow": "etc/shadow",
}
UNUSED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/perl", "usr/lib/systemd")


def lay_out(root: Path, site: Path, kernel: Path) -> list[Path]:
    """Finish the tree of the disk: take the kernel out, put wheels and settings in. The modules to load, in order."""
    (image,) = root.glob("boot/vmlinuz-*")
    shutil.copyfile(image, kernel)
    modules = [_module(root, name) for name in pins.MODULES]
    for name in UNUSED:
        shutil.rmtree(root / name, ignore_errors=True)
    packages = root / f"usr/local/lib/python{pins.PYTHON}/dist-packages"
    packages.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(site, packages)
    for name, place in PLACES.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        shutil.copyfile(pins.GUEST / name, path)
        path.chmod(0o755 if name == "start" else 0o600 if name == "shadow" else 0o644)
    for name in (f"home/{pins.USER}", "root", "tmp", "run", "proc", "sys", "dev"):
        (root / name).mkdir(exist_ok=True)
    return modules


def first_files(root: Path, modules: list[Path], place: Path) -> Path:
    """The tree of the first file system: busybox, init, and the modules, which leave the disk."""
    for name in ("bin", "modules", "keys", "proc", "sys", "dev", "root"):
        (place / name).mkdir(parents=True)
    shutil.copy(root / "bin/busybox", place / "bin/busybox")
    for module in modules:
        shutil.copyfile(module, place / "modules" / module.name)
    (place / "modules/order").write_text("".join(f"{module.stem}\n" for module in modules), encoding="utf-8")
    shutil.copyfile(pins.GUEST / "init", place / "init")
    (place / "init").chmod(0o755)
    for name in ("boot", "lib/modules"):
        shutil.rmtree(root / name)
    return place


def byte_compile(root: Path, log: Path) -> None:
    """Compile the board's Python files here: emulated, each start would take seconds more.

    Byte code belongs to one minor version. Where no such Python is at hand, the board compiles at first use, for which
    its folders are opened.
    """
    folders = [root / f"usr/lib/python{pins.PYTHON}", root / f"usr/local/lib/python{pins.PYTHON}"]
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = sys.executable if here == pins.PYTHON else shutil.which(f"python{pins.PYTHON}")
    if python:
        skipped = r"/(tests?|idlelib|lib2to3|transformers|f2py)/"
        how = ["-q", "-q", "-j", "0", "-x", skipped, "--invalidation-mode", "unchecked-hash"]
        run(
            [python, "-m", "compileall", *how, "-s", root, "-p", "/", *folders],
            log,
            "compiling the board's Python files",
            cwd=root,  # not the user's: Python's -m looks there first
        )
        return
    for folder in (one for top in folders for one in [top, *top.rglob("*/")] if one.is_dir()):
        cached = folder / "__pycache__"
        cached.mkdir(exist_ok=True)
        cached.chmod(0o777)


def _module(root: Path, name: str) -> Path:
    """One kernel module. Raises BenchError if Debian's kernel does not have it as one."""
    found = next(root.glob(f"lib/modules/*/kernel/**/{name}.ko"), None)
    if found is None:
        raise BenchError("the board's kernel lacks a module", seen=name, hint="update edgeval")
    return found

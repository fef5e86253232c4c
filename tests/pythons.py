"""Other Pythons of this machine, and environments for them that are filled once and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

VERSIONS = ("2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


@cache
def interpreter(version: str) -> str | None:
    """A Python of this version, from the path or from pyenv; None where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    for path in [*map(str, found), shutil.which(f"python{version}")]:
        if path and _runs(path):
            return path
    return None


def any_python(version: str) -> str:
    """A Python of this version, or a skip."""
    path = interpreter(version)
    if path is None:
        pytest.skip(f"there is no Python {version} on this machine")
    return path


def environment(version: str, *pins: str) -> str:
    """The Python of a virtual environment with these packages; a skip that says what cannot be had."""
    base = any_python(version)
    cached = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "edgeval-tests"
    folder = cached / "-".join(["py", version, *(pin.replace("==", "-").replace("<", "-") for pin in pins)])
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    with FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _must([base, "-m", "venv", str(folder)], f"a virtual environment of Python {version}")
            if pins:
                _must([str(python), "-m", "pip", "install", "-q", "--only-binary=:all:", *pins], " ".join(pins))
            (folder / "done").touch()
    return str(python)


def _must(words: list[str], what: str) -> None:
    """Run this, or skip."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=clean())
    if done.returncode:
        pytest.skip(f"{what} cannot be had: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")


def clean() -> dict[str, str]:
    """This process's variables without those that lead a Python to other packages."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}


def _runs(path: str) -> bool:
    """Whether it starts at all: a shim of pyenv may lead nowhere."""
    return subprocess.run([path, "-c", ""], capture_output=True, check=False, env=clean()).returncode == 0

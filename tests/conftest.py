"""The demo, run once for all tests that need a whole chain; and one thread a process for every library."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

Typed = tuple[int, str, str]


@dataclass(frozen=True)
class Demo:
    """A folder in which `edgeval demo` has run, and what it printed."""

    folder: Path
    output: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """`edgeval demo` in an empty folder, as a user would run it."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "edgeval", "demo"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Demo(folder, done.stdout)


@pytest.fixture
def type_there(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[str], Typed]:
    """Type a command line in the demo's folder; exit code, standard output, standard error."""
    from edgeval.cli.edge import run

    monkeypatch.chdir(demo.folder)

    def typed(line: str) -> Typed:
        code = run(line.split())
        return code, *capfd.readouterr()

    return typed

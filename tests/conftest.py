"""The demo, run once for all tests that need a whole chain; and one thread a process for every library."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from tests.sshd import Board, start_board

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# A shell that starts the tests in the background has Ctrl-C ignored, and every child would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

Typed = tuple[int, str, str]


@dataclass(frozen=True)
class Demo:
    """A folder in which `edgeval demo` has run, and what it printed."""

    folder: Path
    output: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """`edgeval demo` in an empty folder, as a user would run it.

    To try single tests faster: $EDGEVAL_DEMO names a folder in which `edgeval demo > out.txt` has run.
    """
    side_by_side = "PYTEST_XDIST_WORKER" in os.environ
    shared = tmp_path_factory.getbasetemp().parent if side_by_side else tmp_path_factory.getbasetemp()
    first, printed = shared / "demo-once", shared / "demo-once.txt"
    with FileLock(shared / "demo-once.lock"):  # workers of pytest-xdist run it once and take a copy each
        if not printed.exists() and "EDGEVAL_DEMO" in os.environ:
            shutil.copytree(os.environ["EDGEVAL_DEMO"], first)
            shutil.move(first / "out.txt", printed)
        elif not printed.exists():
            first.mkdir()
            command = [sys.executable, "-m", "edgeval", "demo"]
            done = subprocess.run(command, cwd=first, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            printed.write_text(done.stdout)
    folder = tmp_path_factory.mktemp("demo") / "copy"
    shutil.copytree(first, folder)
    return Demo(folder, printed.read_text())


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


@pytest.fixture
def board(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    """A real ssh server on loopback; its client's configuration is in force."""
    made = start_board(tmp_path_factory.mktemp("board"))
    monkeypatch.setenv("EDGEVAL_SSH_CONFIG", str(made.folder / "config"))
    yield made
    made.server.terminate()
    made.server.wait()

"""A small lab in the working folder: cards of this computer, two models, data; and a board that dies while it runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from edgeval.cli.edge import run
from edgeval.records.reporter import Reporter
from edgeval.records.target import Target
from edgeval.run.host import Host, LocalHost, LocalProcess
from edgeval.workflow import bench
from tests.conftest import Typed
from tests.run.tiny_models import SIDE, make_samples, write_tflite

SHAPE = (1, SIDE, SIDE, 3)
N = 60
CARD = """schema = "edgeval/device/1"
name = "{name}"
tags = {tags}
[transport]
type = "{transport}"
{host}
[runtime]
kernels = "{kernels}"
"""


def write_card(
    name: str, *, kernels: str = "auto", tags: Sequence[str] = (), transport: str = "local", host: str = ""
) -> None:
    quoted = "[" + ", ".join(f'"{tag}"' for tag in tags) + "]"
    text = CARD.format(name=name, kernels=kernels, tags=quoted, transport=transport, host=host)
    Path("devices").mkdir(exist_ok=True)
    Path(f"devices/{name}.toml").write_text(text)


def make_lab() -> str:
    """Cards, models and data here; the command line that compares the models."""
    write_card("one", tags=["lab", "twins"])
    write_card("two", tags=["lab", "twins"])
    write_card("slow", kernels="reference", tags=["lab"])
    write_card("closed", transport="ssh", host='host = "127.0.0.1"\nport = 1', tags=["far"])
    for kind in ("int8", "float32"):
        write_tflite(Path(f"{kind}.tflite"), SHAPE, dtype=kind)
    data = make_samples(N)
    np.savez("data.npz", x=data.images, y=data.labels, ids=np.array(data.ids))
    return "--reference float32.tflite --candidate int8.tflite --data data.npz --scale 1 --floor-budget 0 -q"


def lab_of(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[[str], Typed]:
    """Compare the lab's models by `verb ... options`: exit code, standard output, standard error."""
    monkeypatch.chdir(folder)
    models = make_lab()

    def typed(line: str) -> Typed:
        verb, _, rest = line.partition(" ")
        code = run([verb, *models.split(), *rest.split()])
        return code, *capfd.readouterr()

    return typed


class DyingHost(LocalHost):
    """This computer, until its agent is killed behind so many frames of answers."""

    def __init__(self, frames: int, workdir: Path | None = None) -> None:
        super().__init__(workdir)
        self.frames = frames

    def run(self, argv: Sequence[str], *, alone: bool = False) -> LocalProcess:
        process = super().run(argv, alone=alone)
        if "run" in argv:
            _cut(process, self.frames)
        return process


def _cut(process: LocalProcess, frames: int) -> None:
    """Kill the agent's whole session when the reader asks for the chunk behind the last one it may have."""
    pipe, seen = process.stdout, [0]
    child = process._child

    class Pipe:
        def __getattr__(self, name: str) -> object:
            return getattr(pipe, name)

        def readline(self, limit: int = -1) -> bytes:
            if seen[0] >= frames and child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                return b""
            line = pipe.readline(limit)
            seen[0] += b'"chunk"' in line
            return line

    child.stdout = Pipe()  # type: ignore[assignment]


def let_die(monkeypatch: pytest.MonkeyPatch, name: str, *, frames: int = 0) -> None:
    """From now on the target of this name dies while it runs."""
    real = bench.open_host

    def opened(target: Target, reporter: Reporter | None = None) -> AbstractContextManager[Host]:
        return DyingHost(frames) if target.name == name else real(target, reporter)

    monkeypatch.setattr(bench, "open_host", opened)

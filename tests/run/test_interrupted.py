"""Crashes, hangs, kills and Ctrl-C: always a clear word, never a process left behind, never work done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.errors import BenchError, RuntimeMissing
from edgeval.records.artifact import Preprocess
from edgeval.records.target import Limits
from edgeval.run.agentfile import agent_bytes
from edgeval.run.host import LocalHost
from edgeval.run.infer import infer
from edgeval.run.job import Job
from tests.run.tiny_models import SIDE, Answer, Memory, make_samples, make_target, write_tflite

NHWC = (1, SIDE, SIDE, 3)
Startup = Callable[[str], None]

# A program of its own, as `edgeval run` is one: saves chunks to a folder, then meets its end in the middle.
PROGRAM = """
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_interrupted import Folder, tiny_job
from edgeval.run.host import LocalHost
from edgeval.run.infer import infer

def progress(done, n):
    if done >= 12:
        print("here", flush=True)
        if sys.argv[4] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)

host = LocalHost(Path(sys.argv[3]) / "work")
infer(host, tiny_job(Path(sys.argv[2])), Folder(Path(sys.argv[3])), progress=progress)
"""


class Folder:
    """A sink that keeps each chunk as a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def have(self) -> list[tuple[int, int]]:
        return [(int(p.stem[:3]), int(p.stem[4:])) for p in sorted(self.path.glob("*.npy"))]

    def save(self, start: int, stop: int, outputs: Any) -> None:
        np.save(self.path / f"{start:03}-{stop:03}.npy", outputs)

    def all(self) -> Any:
        return np.concatenate([np.load(path) for path in sorted(self.path.glob("*.npy"))])


def tiny_job(model: Path) -> Job:
    return Job(model, make_samples(40), Preprocess(scale=1), make_target(), chunk=4, workers=2, latency=False)


@pytest.fixture
def startup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Startup:
    """Lines that every Python started from now on runs first: a real process then really crashes or hangs."""

    def write(lines: str) -> None:
        (tmp_path / "sitecustomize.py").write_text(lines)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return write


CRASH = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "ai_edge_litert":
            {action}
sys.meta_path.insert(0, Finder())
"""
INVOKE = """
import os, signal, time, ai_edge_litert.interpreter
interpreter, count = ai_edge_litert.interpreter.Interpreter, [0]
invoke = interpreter.invoke
def invoke_or_not(self):
    count[0] += 1
    if count[0] > 10:
        {action}
    invoke(self)
interpreter.invoke = invoke_or_not
"""
HANG = INVOKE.format(action="time.sleep(100)")


def processes(word: str) -> list[int]:
    """Running processes whose command line has this word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if word.encode() in command and int(path.parts[2]) != os.getpid():
            found.append(int(path.parts[2]))
    return found


def gone(word: str, seconds: float = 5) -> bool:
    """Whether the last such process ends within this time."""
    until = time.monotonic() + seconds
    while processes(word) and time.monotonic() < until:
        time.sleep(0.02)
    return not processes(word)


def start(model: Path, folder: Path, end: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), str(model), str(folder), end]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_kill_9_in_the_middle_then_resume(
    host: LocalHost, facts: dict[str, Any], tmp_path: Path, startup: Startup, monkeypatch: pytest.MonkeyPatch
) -> None:
    startup(HANG)
    model, folder = write_tflite(tmp_path / "m.tflite", NHWC), tmp_path / "kept"
    folder.mkdir()
    with start(model, folder, "kill") as program:
        assert program.wait() == -signal.SIGKILL
    assert gone(str(folder))
    monkeypatch.delenv("PYTHONPATH")
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npy")}
    assert len(before) == 3
    steps: list[int] = []
    infer(host, tiny_job(model), Folder(folder), progress=lambda done, _: steps.append(done), facts=facts)
    assert steps == [12, 16, 20, 24, 28, 32, 36, 40]
    assert {name: (folder / name).stat().st_mtime_ns for name in before} == before
    whole = Memory()
    infer(host, tiny_job(model), whole, progress=lambda *_: None, facts=facts)
    assert Folder(folder).all().tobytes() == whole.all().tobytes()


def test_ctrl_c_leaves_no_process(tmp_path: Path, startup: Startup) -> None:
    startup(HANG)
    model, folder = write_tflite(tmp_path / "m.tflite", NHWC), tmp_path / "kept"
    folder.mkdir()
    with start(model, folder, "wait") as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"here\n"
        assert len(processes(str(folder))) > 1
        program.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in program.communicate(timeout=10)[1]
    assert not processes(str(folder))


def close_stdin(agent: subprocess.Popen[bytes]) -> None:
    assert agent.stdin is not None
    agent.stdin.close()


def close_stdout(agent: subprocess.Popen[bytes]) -> None:
    assert agent.stdout is not None
    agent.stdout.close()


@pytest.mark.parametrize(
    "end",
    [
        close_stdin,
        close_stdout,
        lambda agent: agent.send_signal(signal.SIGINT),
        lambda agent: agent.send_signal(signal.SIGTERM),
        lambda agent: agent.kill(),
    ],
    ids=["stdin closed", "stdout closed", "SIGINT", "SIGTERM", "SIGKILL"],
)
def test_the_agent_takes_its_workers_along(
    facts: dict[str, Any], tmp_path: Path, startup: Startup, end: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    place = LocalHost(tmp_path)
    model = write_tflite(tmp_path / "m.tflite", NHWC)
    infer(place, tiny_job(model), Memory(), progress=lambda *_: None, facts=facts)
    startup(HANG)
    job = next(tmp_path.glob("*-job.json"))
    words = [sys.executable, place.put(agent_bytes(), "agent.pyz"), "run", str(job)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, **pipes) as agent:
        assert agent.stdout is not None
        assert b"hello" in agent.stdout.readline()
        assert len(processes(str(tmp_path))) > 1
        end(agent)
        assert agent.wait(10) != 0
        assert gone(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "words"),
    [("SIGSEGV", "signal 11 .SIGSEGV.: a crash inside the runtime"), ("SIGKILL", "signal 9 .*too little memory")],
)
def test_a_runtime_that_crashes_is_named(
    answer: Callable[..., Answer], tmp_path: Path, startup: Startup, name: str, words: str
) -> None:
    startup(CRASH.format(action=f"os.kill(os.getpid(), signal.{name})"))
    with pytest.raises(BenchError, match=words) as caught:
        answer(write_tflite(tmp_path / "m.tflite", NHWC), make_samples())
    assert caught.value.exit_code == 4
    assert (caught.value.seen or "").startswith("litert 2.")


def test_a_runtime_that_cannot_be_imported_is_missing(
    answer: Callable[..., Answer], tmp_path: Path, startup: Startup
) -> None:
    startup(CRASH.format(action="raise ImportError('numpy 1 wanted')"))
    with pytest.raises(RuntimeMissing, match=r"cannot be imported .*litert 2.*numpy 1 wanted"):
        answer(write_tflite(tmp_path / "m.tflite", NHWC), make_samples())


def test_a_crash_in_the_middle_keeps_what_was_done(
    answer: Callable[..., Answer], tmp_path: Path, startup: Startup
) -> None:
    startup(INVOKE.format(action="os.kill(os.getpid(), signal.SIGSEGV)"))
    sink = Memory()
    with pytest.raises(BenchError, match="what was saved is kept"):
        answer(write_tflite(tmp_path / "m.tflite", NHWC), make_samples(), chunk=4, sink=sink)
    assert sorted(sink.chunks) == [(0, 4), (4, 8)]


def test_an_exception_of_the_runtime_is_quoted(answer: Callable[..., Answer], tmp_path: Path, startup: Startup) -> None:
    startup(INVOKE.format(action="raise RuntimeError('tensor arena is full')"))
    with pytest.raises(BenchError, match="exit status 1: RuntimeError: tensor arena is full"):
        answer(write_tflite(tmp_path / "m.tflite", NHWC), make_samples())


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"sample_timeout_s": 0.3}, "longer than sample_timeout_s .*no answer from litert"),
        ({"run_timeout_s": 1.5}, "longer than run_timeout_s .*1.5 s"),
    ],
)
def test_a_hang_ends(answer: Callable[..., Answer], tmp_path: Path, startup: Startup, limits: Any, words: str) -> None:
    startup(HANG)
    with pytest.raises(BenchError, match=words):
        answer(
            write_tflite(tmp_path / "m.tflite", NHWC),
            make_samples(),
            target=make_target().changed(limits=Limits(**limits)),
        )

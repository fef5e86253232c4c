"""What every host does, here, over ssh, from a recording and (tests/emulate) on an emulated board."""

from __future__ import annotations

import hashlib
import json
import random
import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from edgeval.errors import EdgevalError, InputError, RuntimeMissing
from edgeval.records.artifact import Preprocess
from edgeval.run.host import Host, LocalHost
from edgeval.run.infer import infer
from edgeval.run.job import Job
from edgeval.run.probe import probe
from edgeval.run.replay import ReplayHost
from edgeval.run.ssh import SshHost
from tests.run.recordings import record_here
from tests.run.tiny_models import SIDE, Memory, make_samples, make_target, write_tflite

ECHO = "import json, sys; print(json.dumps(sys.argv[1:]))"
HOSTILE = (
    "a b",
    "it's",
    'say "no"',
    "$(touch hacked)",
    "`touch hacked`",
    "; touch hacked",
    "a\nb",
    "-rf",
    "--",
    "$HOME",
    "~",
    "*",
    "!!",
    "\\",
    "\\'",
    "é世🙂",
    "",
    "\x1b[31m",
    "%h",
    "a" * 5000,
)


def opened(kind: str, request: pytest.FixtureRequest, job: Job) -> AbstractContextManager[Host]:
    """A host of this kind; a further kind is one more line here."""
    if kind == "local":
        return LocalHost()
    if kind == "ssh":
        return SshHost(request.getfixturevalue("board").target())
    return ReplayHost(record_here(job))


@pytest.fixture(params=["local", "ssh", "replay"])
def place(request: pytest.FixtureRequest, job: Job) -> Iterator[Host]:
    """One host of each kind."""
    with opened(request.param, request, job) as host:
        yield host


@pytest.fixture(params=["local", "ssh"])
def runner(request: pytest.FixtureRequest, job: Job) -> Iterator[Host]:
    """One host of each kind that runs programs, which a recording does not."""
    with opened(request.param, request, job) as host:
        yield host


@pytest.fixture
def job(tmp_path: Path) -> Job:
    model = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3), dtype="int8")
    return Job(model, make_samples(40), Preprocess(scale=1), make_target(), chunk=7, workers=2, latency=False)


def test_a_file_comes_back_as_it_was_put_and_is_kept_by_content(place: Host, tmp_path: Path) -> None:
    data = np.random.default_rng(1).bytes(300_000)
    (tmp_path / "source").write_bytes(data)
    there = place.put(tmp_path / "source", "a.bin")
    assert hashlib.sha256(data).hexdigest()[:32] in there
    assert place.put(data, "a.bin") == there
    assert place.get(there) == data
    assert place.get(place.put(b"", "empty")) == b""


def test_output_status_and_last_words_of_a_program_come_back(runner: Host) -> None:
    code = "import sys; sys.stdout.write('out'); sys.stderr.write('x' * 5000 + 'the end'); sys.exit(3)"
    with runner.run([runner.python, "-c", code]) as process:
        assert process.stdout.read() == b"out"
        assert process.wait() == 3
        assert process.stderr_tail().endswith("the end")


def test_no_word_meets_a_shell(runner: Host) -> None:
    with runner.run([runner.python, "-c", ECHO, *HOSTILE]) as process:
        assert json.loads(process.stdout.read()) == list(HOSTILE)
        assert process.wait() == 0


def test_random_words_arrive_as_they_were(runner: Host) -> None:
    rng = random.Random(5)
    letters = "ab '\"\\$`;&|<>(){}[]*?!~#=%^\n\t\r\x1b\x7fé世\u202e🙂-/."
    words = ["".join(rng.choices(letters, k=rng.randint(0, 12))) for _ in range(500)]
    with runner.run([runner.python, "-c", ECHO, *words]) as process:
        assert json.loads(process.stdout.read()) == words


@pytest.mark.parametrize("name", ["../a", "a/b", "", "a b", "-\n", "$(x)"])
def test_a_file_has_a_plain_name(place: Host, name: str) -> None:
    with pytest.raises(InputError, match="plain name"):
        place.put(b"", name)


def test_what_is_not_there_is_said(place: Host) -> None:
    with pytest.raises(EdgevalError, match="no-such"):
        place.get("/no-such/file")
    with pytest.raises(RuntimeMissing, match="no-such"):
        place.run(["/no-such/program"])


def test_leaving_ends_the_program_and_what_it_started(runner: Host) -> None:
    long = f"1{secrets.randbelow(10**8):08}"
    code = f"import subprocess, time; subprocess.Popen(['sleep', '{long}']); print('on', flush=True); time.sleep(99)"
    with runner.run([runner.python, "-c", code]) as process:
        assert process.stdout.readline() == b"on\n"
    until = time.monotonic() + 5  # a kill takes a moment to arrive
    while any(long.encode() in _read(path) for path in Path("/proc").glob("[0-9]*/cmdline")):
        assert time.monotonic() < until
        time.sleep(0.05)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_model_answers_alike_on_every_host(place: Host, job: Job) -> None:
    with LocalHost() as here:
        there, near = Memory(), Memory()
        infer(place, job, there, progress=lambda *_: None, facts=probe(place))
        infer(here, job, near, progress=lambda *_: None)
    np.testing.assert_array_equal(there.all(), near.all())
    assert sorted(there.chunks) == sorted(near.chunks)

"""A device whose wall clock jumps."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_models import SIDE, Memory, make_samples, make_target, write_tflite

from edgeval.records.artifact import Preprocess
from edgeval.run.infer import infer
from edgeval.run.job import Job
from edgeval.run.ssh import SshHost
from tests.sshd import Board

# The wall clock of every program that loads this leaps by two days, forward and back, at each look at it.
JUMPS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
static int calls;
int clock_gettime(clockid_t id, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int status = real(id, at);
  if (id == CLOCK_REALTIME) at->tv_sec += (calls++ % 2) ? 172800 : -172800;
  return status;
}
"""


@pytest.fixture
def jumping(tmp_path: Path) -> str:
    """A Python whose wall clock jumps."""
    if shutil.which("gcc") is None:
        pytest.skip("there is no C compiler here")
    (tmp_path / "jumps.c").write_text(JUMPS)
    library = tmp_path / "jumps.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "jumps.c", "-ldl"], check=True)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nLD_PRELOAD="{library}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    looks = "import time; print(max(abs(time.time() - time.time()) for _ in range(4)) > 86400)"
    assert subprocess.run([python, "-c", looks], capture_output=True, text=True, check=True).stdout == "True\n"
    return str(python)


def test_a_clock_that_jumps_changes_no_answer_and_no_latency(board: Board, tmp_path: Path, jumping: str) -> None:
    model = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3))
    job = Job(model, make_samples(300), Preprocess(scale=1), make_target(), chunk=20)
    kept, found = [], []
    for python in (sys.executable, jumping):
        memory = Memory()
        with SshHost(board.target(python=python)) as host:
            found.append(infer(host, job, memory, progress=lambda *_: None))
        kept.append(memory.all())
    assert np.array_equal(*kept)
    assert found[1].latency is not None
    assert 0 < found[1].latency.p50 <= found[1].latency.p95 < 1000

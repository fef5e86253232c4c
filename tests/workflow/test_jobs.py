"""Child processes: results and errors come back, deaths are told apart, and noise goes to the log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeval.errors import CardError
from edgeval.records.reporter import Progress
from edgeval.workflow import jobs


def work(job: str, progress: Progress) -> str:
    """Do what the word says."""
    progress(1, 2)
    if job == "error":
        raise CardError("what happened", seen="this", hint="do that")
    if job == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if job == "raise":
        raise ZeroDivisionError("by zero")
    if job == "noise":
        os.write(1, b"from the depths\n")
    if job == "waiting":
        return f"{os.environ.get('OMP_WAIT_POLICY')} {os.environ.get('GOMP_SPINCOUNT')}"
    if job == "sleep":
        time.sleep(60)
    return job * 2


def nothing(done: int, total: int) -> None:
    return None


def outcomes(tmp_path: Path, *words: str) -> list[jobs.Outcome]:
    tasks = [jobs.Task(work, word, nothing, tmp_path / f"{word}.log") for word in words]
    return sorted(jobs.run(tasks, 2), key=lambda outcome: outcome.index)


def test_results_errors_and_deaths_come_back_each_for_itself(tmp_path: Path) -> None:
    good, error, crash, raised, noise = outcomes(tmp_path, "good", "error", "crash", "raise", "noise")
    assert (good.result, good.error) == ("goodgood", None)
    assert isinstance(error.error, CardError)
    assert str(error.error) == "what happened (seen: this); do that"
    assert "signal 11" in str(crash.error)
    assert "ZeroDivisionError: by zero" in str(raised.error)
    assert "Traceback" in (tmp_path / "raise.log").read_text()
    assert noise.result == "noisenoise"
    assert (tmp_path / "noise.log").read_text() == "from the depths\n"


def test_a_caller_that_stops_ends_its_children(tmp_path: Path) -> None:
    running = jobs.run([jobs.Task(work, "sleep", nothing), jobs.Task(work, "good", nothing)], 2)
    begun = time.monotonic()
    assert next(running).result == "goodgood"
    running.close()
    assert time.monotonic() - begun < 30


def test_progress_arrives(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    list(jobs.run([jobs.Task(work, "good", lambda done, total: told.append((done, total)))], 1))
    assert told == [(1, 2)]


@pytest.mark.parametrize("workers", [0, 1, 9])
def test_any_number_of_workers_does_all_the_work(workers: int) -> None:
    tasks = [jobs.Task(work, word, nothing) for word in ("a", "b")]
    assert {outcome.result for outcome in jobs.run(tasks, workers)} == {"aa", "bb"}


def test_children_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = "from tests.workflow import test_jobs as t; from edgeval.workflow import jobs\n"
    code += "if __name__ == '__main__':\n"
    code += "    list(jobs.run([jobs.Task(t.report_pid, sys.argv[1], t.nothing)], 1))\n"
    script = tmp_path / "parent.py"
    script.write_text("import sys\n" + code)
    file, root = tmp_path / "pid", Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    parent = subprocess.Popen([sys.executable, str(script), str(file)], env=env)
    child = int(waited(lambda: file.read_text() if file.exists() else ""))
    parent.kill()
    parent.wait()
    assert waited(lambda: "gone" if not Path(f"/proc/{child}/exe").exists() else "") == "gone"


def report_pid(job: str, progress: Progress) -> None:
    """Say who works, and work on for longer than anybody waits."""
    Path(f"{job}.new").write_text(str(os.getpid()))
    os.replace(f"{job}.new", job)
    time.sleep(300)


def waited(ask: Callable[[], str]) -> str:
    """The first answer that is not empty, within a minute."""
    end = time.monotonic() + 60
    while not (answer := ask()):
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.1)
    return answer


@pytest.mark.parametrize(
    ("at_once", "asked", "threads"),
    [(1, "", 4), (2, "", 2), (3, "", 1), (9, "", 1), (1, "1", 1), (1, "8", 4), (1, "3,1", 3), (1, "0", 4), (1, "x", 4)],
)
def test_threads_are_a_share_of_the_cores_within_what_the_user_allows(
    monkeypatch: pytest.MonkeyPatch, at_once: int, asked: str, threads: int
) -> None:
    monkeypatch.setattr(jobs, "cores", lambda: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert jobs.threads(at_once) == threads


@pytest.mark.parametrize(("given", "found"), [(None, "PASSIVE 1000"), ("ACTIVE", "ACTIVE None")])
def test_threads_of_children_sleep_while_they_wait_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str | None, found: str
) -> None:
    for name in jobs.WAITING:
        monkeypatch.delenv(name, raising=False)
    if given:
        monkeypatch.setenv("OMP_WAIT_POLICY", given)
    assert [one.result for one in outcomes(tmp_path, "waiting")] == [found]
    assert (os.environ.get("OMP_WAIT_POLICY"), os.environ.get("GOMP_SPINCOUNT")) == (given, None)

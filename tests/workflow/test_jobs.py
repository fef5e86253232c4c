"""Child processes: results and errors come back, deaths are told apart, and noise goes to the log."""

from __future__ import annotations

import os
import signal
import time
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

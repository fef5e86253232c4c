"""One running process: ended when it is the one that was started, left alone when only its number is the same."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgeval.emulate.process import boot_id, process_start, recall, remember


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(["sleep", "60"])
    yield child
    child.kill()
    child.wait()


def test_a_started_process_is_found_again_and_ended(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    place = tmp_path / "running.json"
    remember(sleeper.pid, 2222, place)
    found = recall(place)
    assert found is not None
    assert (found.pid, found.port, found.alive) == (sleeper.pid, 2222, True)
    assert 0 <= found.uptime_s < 60
    found.end()
    assert sleeper.wait(5) < 0
    assert recall(place) is None


@pytest.mark.parametrize("other", [{"began": 1}, {"boot": "another start of this computer"}])
def test_another_process_with_its_number_is_left_alone(
    sleeper: subprocess.Popen[bytes], tmp_path: Path, other: dict[str, object]
) -> None:
    stale = replace(remember(sleeper.pid, 2222, tmp_path / "running.json"), **other)  # type: ignore[arg-type]
    assert not stale.alive
    stale.end()
    assert sleeper.poll() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "nothing": 2}'])
def test_a_damaged_note_is_no_running_board(tmp_path: Path, text: str) -> None:
    (tmp_path / "running.json").write_text(text)
    assert recall(tmp_path / "running.json") is None


def test_a_process_that_ended_has_no_start() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    assert process_start(child.pid) is None


@pytest.mark.parametrize(("pid", "began"), [(-1, None), (0, None), (1, 2), (True, None)])
def test_a_note_never_leads_to_a_process_that_no_board_can_be(tmp_path: Path, pid: int, began: int | None) -> None:
    words = {"pid": pid, "began": began, "boot": boot_id(), "port": 2222, "since": 0.0}
    (tmp_path / "running.json").write_text(json.dumps(words))
    assert recall(tmp_path / "running.json") is None

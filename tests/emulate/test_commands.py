"""edgeval devices create, start, stop, status, remove: what they say where there is no such board, or none yet."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from edgeval.cli.edge import run
from edgeval.emulate import programs
from edgeval.emulate.image import cache
from edgeval.emulate.process import remember

REFUSALS = [
    ("start pi4-emulated", 4, "not created (seen: pi4-emulated); run: edgeval devices create pi4-emulated"),
    ("start pi4-emulate", 2, "did you mean pi4-emulated"),
    ("clean pi4-emulated", 2, "pi4-emulated does not run, and forgets everything when it stops"),
    ("stop pi4-emulate", 2, "did you mean pi4-emulated"),
    ("remove nothing", 2, "edgeval devices status"),
    ("create rpi4", 2, "describes no emulated board (seen: rpi4); emulated boards: pi-zero2-emulated, pi4-emulated"),
    ("stop ../../etc", 2, "no emulated board"),
]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("line", "code", "said"), REFUSALS)
def test_refusals(line: str, code: int, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["devices", *line.split()]) == code
    assert said in capfd.readouterr().err


def test_a_card_that_does_not_say_which_board_it_means_spoils_no_list(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "devices").mkdir()
    card = 'schema = "edgeval/device/1"\nname = "half"\n[transport]\ntype = "emulated"\n'
    (tmp_path / "devices" / "half.toml").write_text(card)
    assert run(["devices", "status"]) == 0
    assert "half" not in capfd.readouterr().out
    assert run(["devices", "create", "half"]) == 2
    assert 'add [machine] with cpu = "cortex-a72"' in capfd.readouterr().err


def test_a_run_on_a_board_that_is_not_created_is_exit_4(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(b"x")
    line = "compare --reference a.tflite --candidate a.tflite --data d.npz --target pi5-emulated"
    assert run(line.split()) == 4
    assert "run: edgeval devices create pi5-emulated" in capfd.readouterr().err


def test_missing_programs_are_named_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(programs, "PATH", "/nowhere")
    assert run(["devices", "create", "pi4-emulated", "-q"]) == 4
    assert "run: sudo apt-get install -y --no-install-recommends cpio openssh-client qemu" in capfd.readouterr().err


def test_status_and_stop_of_a_board_whose_card_is_gone(capfd: pytest.CaptureFixture[str]) -> None:
    home = cache() / "boards" / "mine"
    home.mkdir(parents=True)
    (home / "board.json").write_text(json.dumps({"image": "none"}))
    child = subprocess.Popen(["sleep", "60"])
    remember(child.pid, 2222, home / "running.json")
    assert run(["devices", "status"]) == 0
    said = {line.split()[0]: line.split() for line in capfd.readouterr().out.splitlines()}
    assert said["mine"][1:4] == ["running", "2222", str(child.pid)]
    assert said["pi4-emulated"][1:3] == ["not", "created"]
    assert run(["devices", "stop", "mine"]) == 0
    assert child.wait(10) < 0
    assert run(["devices", "remove", "mine"]) == 0
    assert not home.exists()


def test_quiet_commands_say_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    (cache() / "boards" / "mine").mkdir(parents=True)
    (cache() / "boards" / "mine" / "board.json").write_text(json.dumps({"image": "none"}))
    for verb in ("stop", "remove"):
        assert run(["devices", verb, "mine", "-q"]) == 0
    assert capfd.readouterr() == ("", "")


def test_instructions_need_an_emulated_board(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "scalecnn-digits100", "--instructions"]) == 2
    assert "emulated boards only (seen: desktop); choose one: --target pi-zero2-emulated" in capfd.readouterr().err

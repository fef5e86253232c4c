"""`edgeval devices check` from start to finish, on this computer."""

from __future__ import annotations

import json
import sys
import venv
from pathlib import Path

import pytest

from edgeval.cli.edge import run
from edgeval.errors import CardError
from edgeval.workflow.bench import open_bench
from tests.sshd import Board

CARD = 'schema = "edgeval/device/1"\nname = "here"\n'


def typed(line: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = run(["devices", "check", *line])
    return code, capfd.readouterr().out


def test_this_computer_lacks_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    code, out = typed(["desktop", "--json", "-"], capfd)
    body = json.loads(out)
    assert code == 0
    assert body["complete"]
    assert {"reached", "Python", "numpy", "runtime"} <= {item["name"] for item in body["findings"]}


def test_a_microcontroller_runs_on_tflm_only(tmp_path: Path) -> None:
    path = tmp_path / "chip.toml"
    path.write_text(CARD + 'kind = "mcu"\n')
    with pytest.raises(CardError, match=r"only TFLM .*seen: litert, local.*engine = .tflm."), open_bench(str(path)):
        pass


@pytest.mark.parametrize("name", ["desktop-reference", "mcu"])
def test_other_cards_of_this_computer_are_understood(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, out = typed([name, "--json", "-"], capfd)
    (runtime,) = [item for item in json.loads(out)["findings"] if item["name"] == "runtime"]
    assert code in (0, 4)
    assert (runtime["state"] == "ok") == (code == 0)
    assert runtime["state"] == "ok" or runtime["mend"]


def test_what_is_missing_ends_with_4_and_says_what_to_do(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "here.toml"
    path.write_text(CARD + '[expect]\nmachine = "pdp11"\ndevice_nodes = ["/dev/apex_9"]\n')
    code, out = typed([str(path)], capfd)
    assert code == 4
    assert "MISSING  machine" in out
    assert f"mend [expect] in {path}" in out
    assert f"2 missing: take the steps (>) from the top, then again: edgeval devices check {path}" in out


def test_a_board_out_of_reach(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "far.toml"
    path.write_text(CARD + '[transport]\ntype = "ssh"\nhost = "no-such-board.invalid"\n')
    code, out = typed([str(path), "-q"], capfd)
    assert code == 4
    assert out.startswith("MISSING  reached")


def test_a_folder_that_cannot_be_used_is_no_fault_of_the_python(
    board: Board, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out = typed([str(board.card(tmp_path / "far.toml", workdir="/proc/edgeval")), "-q"], capfd)
    assert code == 4
    assert "MISSING  folder     the folder on far cannot be used" in out


def test_a_local_card_may_name_another_python(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    path = tmp_path / "here.toml"
    path.write_text(CARD + f'[transport]\npython = "{tmp_path}/bare/bin/python"\n')
    code, out = typed([str(path)], capfd)
    assert code == 4
    assert f"{tmp_path}/bare/bin/python)" in out
    assert "MISSING  runtime" in out


def test_a_runtime_that_is_installed_but_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ai_edge_litert").mkdir()
    (tmp_path / "ai_edge_litert" / "__init__.py").write_text("raise ImportError('libc is not for you')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code, out = typed(["desktop"], capfd)
    assert code == 4
    assert "libc is not for you" in out
    assert f"{sys.executable} -m pip install ai-edge-litert" in out


def test_an_unknown_device_names_the_nearest(capfd: pytest.CaptureFixture[str]) -> None:
    code = run(["devices", "check", "rpi44"])
    assert code == 2
    assert "rpi4" in capfd.readouterr().err


def test_a_recording_is_no_device(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "kept.toml"
    path.write_text(CARD + '[transport]\ntype = "replay"\nrecording = "a.npz"\n')
    assert run(["devices", "check", str(path)]) == 2
    assert "is a recording: there is no device to reach (seen: a.npz)" in capfd.readouterr().err


def test_a_runtime_is_imported_from_its_own_place_and_not_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ai_edge_litert").mkdir()
    (tmp_path / "ai_edge_litert" / "__init__.py").write_text("open('started', 'w')")
    monkeypatch.chdir(tmp_path)
    assert typed(["desktop"], capfd)[0] == 0
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise ImportError('\\x1b]0;owned\\x07')", r"\x1b]0;owned\x07"),
        ("import os\nwhile True: os.write(1, b'y' * 65536)", "writes without end"),
    ],
)
def test_a_lying_runtime_ends_in_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    (tmp_path / "ai_edge_litert").mkdir()
    (tmp_path / "ai_edge_litert" / "__init__.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code, out = typed(["desktop"], capfd)
    assert (code, words in out) == (4, True), out
    assert "\x1b" not in out

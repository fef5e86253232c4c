"""Adding a device over a real ssh server, and cleaning it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeval.cli.edge import run
from edgeval.records.target import load_target
from tests.conftest import Typed
from tests.sshd import Board

WORDS = ("devices", "add", "board", "--name", "lab", "--python", sys.executable)


@pytest.fixture
def type_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Typed]:
    """Type a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def typed(*words: str) -> Typed:
        code = run(list(words))
        return code, *capfd.readouterr()

    return typed


def fingerprint(board: Board) -> str:
    words = ["ssh-keygen", "-lf", str(board.folder / "host_key.pub")]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[1]


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Sit at a terminal and say this."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: text == "y")


def test_the_fingerprint_is_shown_and_a_yes_writes_key_and_card(
    board: Board, type_here: Callable[..., Typed], monkeypatch: pytest.MonkeyPatch
) -> None:
    board.known_hosts.unlink()
    answer(monkeypatch, "y")
    code, out, err = type_here(*WORDS)
    assert code == 0, err
    assert fingerprint(board) in err
    assert "litert" in out
    assert "edgeval devices check lab" in out
    assert board.known_hosts.read_text() == board.known(board.port)
    card = load_target("lab")
    assert (card.transport.host, card.transport.python) == ("board", sys.executable)
    assert type_here("devices", "check", "lab")[0] in (0, 4)


@pytest.mark.parametrize("terminal", [True, False])
def test_without_a_yes_nothing_is_written(
    board: Board, type_here: Callable[..., Typed], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, terminal: bool
) -> None:
    board.known_hosts.write_text("")
    if terminal:
        answer(monkeypatch, "n")
    code, _, err = type_here(*WORDS)
    assert (code, "not accepted" in err) == (4, True)
    assert board.known_hosts.read_text() == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("known", [True, False])
def test_a_pipeline_gives_the_fingerprint(board: Board, type_here: Callable[..., Typed], known: bool) -> None:
    if not known:
        board.known_hosts.write_text("")
    code, _, err = type_here(*WORDS, "--fingerprint", "SHA256:" + "A" * 43)
    assert (code, "another key than --fingerprint" in err) == (5, True)
    code, _, err = type_here(*WORDS, "--fingerprint", fingerprint(board))
    assert code == 0, err
    assert board.known_hosts.read_text() == board.known(board.port)


def test_a_changed_key_is_refused_and_stays(board: Board, type_here: Callable[..., Typed]) -> None:
    kind, key = (board.folder / "user_key.pub").read_text().split()[:2]
    board.known_hosts.write_text(f"[127.0.0.1]:{board.port} {kind} {key}\n")
    before = board.known_hosts.read_text()
    code, _, err = type_here(*WORDS)
    assert (code, "has changed: not connected" in err) == (4, True)
    assert board.known_hosts.read_text() == before


def test_a_card_is_not_overwritten(board: Board, type_here: Callable[..., Typed], tmp_path: Path) -> None:
    (tmp_path / "devices").mkdir()
    card = board.card(tmp_path / "devices" / "lab.toml", host="elsewhere")
    before = card.read_text()
    code, _, err = type_here(*WORDS)
    assert (code, "choose another --name" in err) == (2, True)
    board.card(card, connect_timeout_s=7)
    code, _, err = type_here(*WORDS, "--fingerprint", fingerprint(board))
    assert (code, "stays as it is" in err) == (0, True)
    assert card.read_text() == before.replace("elsewhere", "board").replace("5.0", "7.0")


@pytest.mark.parametrize("name", ["../x", "-x", "a b"])
def test_a_device_has_a_plain_name(board: Board, type_here: Callable[..., Typed], tmp_path: Path, name: str) -> None:
    code, _, err = type_here("devices", "add", "board", f"--name={name}")
    assert (code, "plain name" in err) == (2, True)
    assert not list(tmp_path.iterdir())


def test_cleaning_says_how_much_and_removes_only_what_is_ours(
    board: Board, type_here: Callable[..., Typed], tmp_path: Path
) -> None:
    card = str(board.card(tmp_path / "lab.toml"))
    assert type_here("devices", "check", card)[0] in (0, 4)
    folder = board.home / ".cache" / "edgeval-device"
    (board.home / ".cache" / "other").write_text("not ours")
    code, out, _ = type_here("devices", "clean", card, "--dry-run")
    assert (code, "1 files, " in out, "would be removed" in out) == (0, True, True)
    assert folder.is_dir()
    code, out, _ = type_here("devices", "clean", card)
    assert (code, "removed" in out) == (0, True)
    assert [path.name for path in folder.parent.iterdir()] == ["other"]


def test_only_devices_over_ssh_are_cleaned(type_here: Callable[..., Typed]) -> None:
    code, _, err = type_here("devices", "clean", "desktop")
    assert (code, "not reached over ssh" in err) == (2, True)


def test_what_others_put_into_the_folder_stays(board: Board, type_here: Callable[..., Typed], tmp_path: Path) -> None:
    card = str(board.card(tmp_path / "lab.toml"))
    assert type_here("devices", "check", card)[0] in (0, 4)
    folder = board.home / ".cache" / "edgeval-device"
    (folder / "thesis.txt").write_text("not ours")
    (folder / f"{'a' * 32}-photos").mkdir()
    (folder / f"{'b' * 32}-model").symlink_to(folder / "thesis.txt")
    code, out, _ = type_here("devices", "clean", card)
    assert (code, "1 files, " in out, "3 other things lie there" in out) == (0, True, True), out
    assert (folder / "thesis.txt").read_text() == "not ours"
    assert len(list(folder.iterdir())) == 5
    for name in ("thesis.txt", f"{'b' * 32}-model"):
        (folder / name).unlink()
    (folder / f"{'a' * 32}-photos").rmdir()
    assert type_here("devices", "clean", card)[0] == 0
    assert not folder.exists()

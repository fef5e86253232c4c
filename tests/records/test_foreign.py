"""Cards that came with a working folder start no program of theirs, unless their path was typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.cli.edge import run
from edgeval.errors import CardError
from edgeval.records.foreign import check_trusted
from edgeval.records.reporter import Silent
from edgeval.records.target import load_target
from edgeval.workflow.bench import open_bench
from edgeval.workflow.check import check_device
from edgeval.workflow.project import choose_target

CARD = 'schema = "edgeval/device/1"\nname = "lab"\n'
EVAL = 'args = ["--eval=$(shell touch started)"]'
FOREIGN = [
    ('[transport]\ntype = "local"\npython = "devices/python3"', "starts a Python"),
    ('[transport]\ntype = "local"\npython = "devices/python3"', "starts a Python"),
    ('[transport]\ntype = "local"\npython = "make"', "starts a Python"),  # it would read the folder's Makefile
    ('[runtime.delegate]\nlibrary = "./evil.so"', "loads a library"),
    ('[runtime.delegate]\nlibrary = "/home/me/evil.so"', "loads a library"),
    ('[runtime.delegate]\nlibrary = "/usr/lib/../../tmp/evil.so"', "loads a library"),
    ('[runtime.delegate]\nlibrary = "/usr/../usr-mine/evil.so"', "loads a library"),
    (f'[compile]\ntool = "make"\n{EVAL}', "starts another program"),
    (f'[compile]\ntool = "make"\nwhere = "ssh:server"\n{EVAL}', "starts another program"),
    ('[compile]\ntool = "./edgetpu_compiler"', "starts another program"),
    ('[compile]\ntool = "/tmp/edgetpu_compiler"', "starts another program"),
]
PLAIN = [
    "",
    '[transport]\ntype = "local"\npython = "python3.9"',
    '[transport]\ntype = "local"\npython = "/usr/bin/python3"',
    '[transport]\ntype = "ssh"\nhost = "far"\npython = "~/venv/bin/python"',
    '[runtime.delegate]\nlibrary = "libedgetpu.so.1"',
    '[runtime.delegate]\nlibrary = "/usr/lib/aarch64-linux-gnu/libedgetpu.so.1"',
    '[compile]\ntool = "edgetpu_compiler"\nargs = ["-m", "14"]',
    '[compile]\ntool = "/usr/bin/edgetpu_compiler"\nwhere = "ssh:server"',
    '[compile]\ntool = "make"\nwhere = "prebuilt"',
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a shelf of cards."""
    (tmp_path / "devices").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("tables", "words"), FOREIGN)
def test_what_a_card_brought_along_is_not_started(folder: Path, tables: str, words: str) -> None:
    Path("devices/lab.toml").write_text(CARD + tables)
    with (
        pytest.raises(CardError, match=rf"{words}.*--target devices/lab\.toml"),
        open_bench("lab"),
    ):
        pass
    with pytest.raises(CardError, match=words):
        check_device("lab", Silent())
    target = load_target("devices/lab.toml")
    check_trusted(target, typed=target.explicit)  # whoever types the path has looked at it


@pytest.mark.parametrize("tables", PLAIN)
def test_what_the_system_has_installed_is(folder: Path, tables: str) -> None:
    Path("devices/lab.toml").write_text(CARD + tables)
    check_trusted(load_target("lab"), typed=False)


def test_cards_of_the_users_own_shelf_may_start_anything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    shelf = folder / ".config" / "edgeval" / "devices"
    shelf.mkdir(parents=True)
    (shelf / "lab.toml").write_text(CARD + FOREIGN[3][0])
    check_trusted(load_target("lab"), typed=False)


def test_a_library_does_not_come_in_by_a_stand_in_or_by_the_settings(folder: Path) -> None:
    Path("evil.toml").write_text(CARD + FOREIGN[3][0])
    words = '[transport]\ntype = "ssh"\nhost = "far"\n[emulate]\ncard = "./evil.toml"\nfidelity = "approximate"\n'
    Path("devices/lab.toml").write_text(CARD + words)
    with pytest.raises(CardError, match="loads a library"), open_bench("lab", emulate=True):
        pass
    Path("edgeval.toml").write_text('target = "desktop,./evil.toml"\n')
    with pytest.raises(CardError, match="loads a library"):
        choose_target(None)
    assert choose_target("./evil.toml") == "./evil.toml"


@pytest.mark.parametrize("command", ["list", "show lab"])
def test_a_card_cannot_write_to_the_terminal(folder: Path, command: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("devices/lab.toml").write_text(CARD + 'summary = "\\u001b]0;owned\\u0007 \\u009b2J \\u202e"\n')
    run(["devices", *command.split()])
    out = capfd.readouterr().out
    assert "owned" in out
    assert all(c.isprintable() or c == "\n" for c in out)

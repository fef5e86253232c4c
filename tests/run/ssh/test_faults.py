"""What goes wrong with a device over ssh, each cause told apart with what mends it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from edgeval.errors import BenchError, CardError, EdgevalError, RuntimeMissing, UnreachableError
from edgeval.records.target import Target, Transport
from edgeval.run.ssh import SshHost
from edgeval.run.ssh.faults import refused
from tests.run.ssh.ssh_lab import script
from tests.sshd import Board, free_port


def no_such_host(board: Board, tmp_path: Path) -> dict[str, Any]:
    return {"host": "no-such-board.invalid"}


def closed_port(board: Board, tmp_path: Path) -> dict[str, Any]:
    return {"port": free_port()}


def wrong_user(board: Board, tmp_path: Path) -> dict[str, Any]:
    return {"user": "nobody-of-that-name"}


def unknown_key(board: Board, tmp_path: Path) -> dict[str, Any]:
    board.known_hosts.write_text("")
    return {}


def changed_key(board: Board, tmp_path: Path) -> dict[str, Any]:
    kind, key = (board.folder / "user_key.pub").read_text().split()[:2]
    board.known_hosts.write_text(f"[127.0.0.1]:{board.port} {kind} {key}\n")
    return {}


def no_python(board: Board, tmp_path: Path) -> dict[str, Any]:
    return {"python": "/no/such/python3"}


def broken_python(board: Board, tmp_path: Path) -> dict[str, Any]:
    return {"python": script(tmp_path / "python", "echo broken here >&2; exit 3")}


def python_2(board: Board, tmp_path: Path) -> dict[str, Any]:
    found = next(iter(sorted(Path.home().glob(".pyenv/versions/2.7.*/bin/python2.7"))), None)
    if found is None:
        pytest.skip("there is no Python 2.7 on this machine")
    return {"python": str(found)}


def foreign_folder(board: Board, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "precious").write_text("not ours")
    return {"workdir": str(tmp_path)}


def linked_folder(board: Board, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    return {"workdir": str(tmp_path / "link")}


def read_only_folder(board: Board, tmp_path: Path) -> dict[str, Any]:
    return {"workdir": "/proc/edgeval"}


REFUSED = [
    (no_such_host, UnreachableError, "no host of that name"),
    (closed_port, UnreachableError, "nothing listens for ssh"),
    (wrong_user, UnreachableError, r"does not let this user in .*ssh-copy-id nobody-of-that-name@board"),
    (unknown_key, UnreachableError, "not known yet .*edgeval devices add board"),
    (changed_key, UnreachableError, "has changed: not connected .*another machine answers .*ssh-keygen -R"),
    (no_python, RuntimeMissing, "there is no /no/such/python3 on board .*apt install"),
    (broken_python, BenchError, "exit status 3: broken here"),
    (python_2, RuntimeMissing, r"too old \(seen: Python 2.7"),
    (foreign_folder, CardError, "not one of edgeval's: it is left alone"),
    (linked_folder, CardError, "not one of edgeval's"),
    (read_only_folder, BenchError, r"cannot be used: .*/proc/edgeval.*set workdir"),
]


@pytest.mark.parametrize(("make", "kind", "words"), REFUSED, ids=[row[0].__name__ for row in REFUSED])
def test_each_cause_has_its_own_message_and_what_mends_it(
    board: Board, tmp_path: Path, make: Any, kind: type[EdgevalError], words: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    target = board.target(**make(board, tmp_path))
    with pytest.raises(kind, match=words) as caught, SshHost(target):
        pass
    assert "\n" not in str(caught.value)
    assert set(before) <= set(tmp_path.rglob("*"))
    assert board.known_hosts.read_text().count("\n") <= 1


def test_a_server_that_says_nothing_is_given_up(board: Board) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        target = board.target(port=mute.getsockname()[1], connect_timeout_s=1)
        with pytest.raises(UnreachableError, match="does not answer"), SshHost(target):
            pass


def test_the_command_that_accepts_a_key_has_all_that_reaches_the_board() -> None:
    words = {"type": "ssh", "host": "10.0.0.7", "user": "pi", "port": 2222, "identity": "~/my keys/lab"}
    target = Target(schema="edgeval/device/1", name="lab", transport=Transport(**words))
    hint = refused(target, "Host key verification failed.").hint
    assert hint.endswith("edgeval devices add pi@10.0.0.7 --port 2222 --identity '~/my keys/lab' --name lab")

"""The connection: the user's own configuration, chatty shells, any Python on the other side."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from edgeval.run.probe import probe
from edgeval.run.ssh import SshHost
from tests.pythons import VERSIONS, any_python
from tests.run.ssh.ssh_lab import SLEEP, script
from tests.sshd import Board, start_board


def test_the_users_configuration_counts_and_cannot_do_harm(board: Board) -> None:
    with (board.folder / "config").open("a") as file:
        file.write(
            f"Host odd\n  HostName 127.0.0.1\n  Port {board.port}\n  RemoteCommand cat\n  RequestTTY force\n"
            f"  ControlMaster auto\n  ControlPath {board.folder}/c\n  LogLevel QUIET\n  LocalForward 1 h:1\n"
            f"Host behind\n  HostName 127.0.0.1\n  Port {board.port}\n  ProxyJump board\n"
        )
    for name in ("odd", "behind"):
        with SshHost(board.target(host=name)) as host, host.run([host.python, "-c", SLEEP, "0"]) as process:
            assert process.stdout.read() == b"on\n"
    assert not (board.folder / "c").exists()


NOISE = "ForceCommand printf '\\033[2JWelcome to edgeval-porter {\\n$ '; exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\""


def test_what_a_login_shell_prints_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chatty = start_board(tmp_path, NOISE)
    monkeypatch.setenv("EDGEVAL_SSH_CONFIG", str(tmp_path / "config"))
    try:
        with SshHost(chatty.target()) as host:
            assert host.get(host.put(b"data", "a.bin")) == b"data"
            assert probe(host)["numpy"] == np.__version__
    finally:
        chatty.server.terminate()
        chatty.server.wait()


def test_a_python_may_stand_in_the_home(board: Board) -> None:
    (board.home / "my env").mkdir()
    script(board.home / "my env" / "python", f'exec {sys.executable} "$@"')
    with SshHost(board.target(python="~/my env/python")) as host, host.run([host.python, "-c", SLEEP, "0"]) as process:
        assert process.stdout.read() == b"on\n"


@pytest.mark.parametrize("version", [VERSIONS[2], *VERSIONS[-2:]])
def test_the_oldest_and_the_newest_python_serve(board: Board, version: str) -> None:
    data = np.random.default_rng(1).bytes(100_000)
    with SshHost(board.target(python=any_python(version))) as host:
        assert host.get(host.put(data, "a.bin")) == data
        with host.run([host.python, "-c", SLEEP, "0"], alone=True) as process:
            assert (process.stdout.read(), process.wait()) == (b"on\n", 0)
        assert host.clean(dry=False)["files"] == 1

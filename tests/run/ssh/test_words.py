"""Words of a card never become options or commands, here or on the device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeval.errors import CardError, RuntimeMissing
from edgeval.run.ssh import SshHost
from tests.sshd import Board

HOSTILE_CARDS = [
    {"host": "-oProxyCommand=touch hacked"},
    {"host": "board; touch hacked"},
    {"host": "$(touch hacked)"},
    {"host": "a b"},
    {"host": ""},
    {"host": "%h@board`touch hacked`"},
    {"workdir": "~/\x1b[2J"},
    {"user": "-oProxyCommand=touch hacked"},
    {"user": "pi$(touch hacked)"},
    {"user": "pi\n"},
    {"python": "-c"},
    {"python": "python3\ntouch hacked"},
    {"workdir": "relative"},
    {"workdir": "-rf"},
    {"identity": "-oProxyCommand=touch hacked"},
    {"identity": "/no/such/key"},
]


@pytest.mark.parametrize("words", HOSTILE_CARDS, ids=repr)
def test_words_that_could_be_options_or_commands_are_refused(board: Board, words: dict[str, Any]) -> None:
    with pytest.raises(CardError):
        SshHost(board.target(**words))


@pytest.mark.parametrize("python", ["$(touch hacked)", "`touch hacked`", "a'; touch hacked; '", '"; touch hacked; "'])
def test_a_hostile_python_is_one_word_to_the_remote_shell(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeMissing, match="there is no"), SshHost(board.target(python=python)):
        pass
    assert not [place for folder in (tmp_path, board.home, Path.home()) for place in folder.glob("hacked*")]


def test_a_folder_may_be_called_anything(board: Board, tmp_path: Path) -> None:
    folder = tmp_path / "a 'b' \"c\" $(touch hacked) -é \\"
    with SshHost(board.target(workdir=str(folder))) as host:
        assert host.get(host.put(b"data", "a.bin")) == b"data"
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]

"""A device whose Python is not ours to trust: silence, floods and wrong replies end in one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.errors import BenchError, EdgevalError, UnreachableError
from edgeval.run.ssh import SshHost
from tests.sshd import Board

SAYS = "echo 'edgeval-porter {}'; sleep 60"
CASES = [
    ("sleep 60", UnreachableError, "does not answer"),
    ("yes", UnreachableError, "does not answer"),
    ("tr '\\0' x </dev/zero", UnreachableError, "does not answer"),
    ("yes >&2", BenchError, "does not work"),
    (SAYS.format('{"folder": 5}'), BenchError, "cannot be used"),
    (SAYS.format('{"error": "\\\\u001b[2J{name}", "seen": [1]}'), BenchError, r"cannot be used: .*x1b\[2J\{name\}"),
    (SAYS.format('{"folder": "/x"}'), BenchError, "what it was not asked"),
    (SAYS.format('{"folder": "/x", "at": -5}'), BenchError, "what it was not asked"),
    (SAYS.format('{"folder": "/x", "at": 1e3}'), BenchError, "what it was not asked"),
    (SAYS.format('{"folder": "/x", "at": 9}'), BenchError, "what it was not asked"),
]


@pytest.mark.parametrize(("text", "kind", "words"), CASES, ids=[case[0] for case in CASES])
def test_a_lying_device_ends_in_one_clear_line(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, kind: type[EdgevalError], words: str
) -> None:
    monkeypatch.setattr("edgeval.run.ssh.link.START_S", 2)
    monkeypatch.setattr("edgeval.run.host.GRACE_S", 0.2)
    monkeypatch.setattr("edgeval.run.ssh.session.ERRORS_MAX", 1 << 20)
    liar = tmp_path / "python"
    liar.write_text(f"#!/bin/sh\n{text}\n")
    liar.chmod(0o755)
    target = board.target(python=str(liar), connect_timeout_s=1)
    with pytest.raises(kind, match=words) as caught, SshHost(target) as host:
        host.put(b"data", "a.bin")
    assert str(caught.value).isprintable()

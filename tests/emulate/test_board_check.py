"""`edgeval devices check` on a real Arm Debian, reached over a real sshd."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval.cli.edge import run
from edgeval.emulate.board import Board


def test_a_board_with_its_runtimes_lacks_nothing(board: Board, card: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = run(["devices", "check", str(card), "--json", "-"])
    found = {item["name"]: item for item in json.loads(capfd.readouterr().out)["findings"]}
    assert code == 0, found
    assert "aarch64" in found["board"]["said"]
    assert found["runtime"]["said"].startswith("litert ")
    assert found["network"]["state"] == "note"

"""The whole chain with a device over a real ssh server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Demo, Typed
from tests.sshd import Board

COMPARE = "compare scalecnn-digits100 --target board.toml --rung c4 --floor-budget 0"
RULES = '[[gate.rules]]\nmetric = "top1"\nmax_drop = "{}"\n'


@pytest.mark.timeout(600)
def test_compare_and_gate_over_ssh(demo: Demo, board: Board, type_there: Callable[[str], Typed]) -> None:
    board.card(demo.folder / "board.toml")
    _forget(demo.folder)
    code, out, err = type_there(f"{COMPARE} --json found.json")
    assert code == 0, err
    assert "sent 12" in err
    found = json.loads((demo.folder / "found.json").read_text())
    row = (found.get("rows") or [found])[0]
    assert (row["target"]["name"], row["target"]["origin"]) == ("board", "device")
    assert row["stages"][-1]["lost"] == row["stages"][-1]["gained"] == 0
    assert (demo.folder / out.split("Report: ")[1].splitlines()[0]).is_file()
    for drop, status in (("90pt", 0), ("0.1pt", 1)):
        (demo.folder / "rules.toml").write_text(RULES.format(drop))
        assert type_there(f"gate{COMPARE.removeprefix('compare')} --config rules.toml")[0] == status
    _forget(demo.folder)
    code, _, err = type_there(COMPARE)
    assert (code, "board: sent 0 bytes" in err) == (0, True)


def _forget(folder: Path) -> None:
    """Remove every table, so that all must run again."""
    shutil.rmtree(folder / "runs" / "predictions")

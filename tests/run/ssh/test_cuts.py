"""The short form of tests/benchmarks/cuts.py: a link that is cut again and again loses and doubles nothing."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.cuts import survive
from tests.sshd import Board


def test_cuts_lose_and_double_nothing(board: Board, tmp_path: Path) -> None:
    found = survive(board, tmp_path, 5, seed=2)
    assert found["cuts"] == 5
    assert sum("trying again" in line for line in found["said"]) >= 5

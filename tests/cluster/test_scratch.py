"""Temporary folders: what killed processes left is swept up, what runs and what is not ours stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from edgeval.cluster.scratch import scratch


def test_folders_of_processes_that_are_gone_are_swept_and_others_stay(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    stays = {f"ev-{os.getpid()}-x", "ev-x", "other"}
    for name in [f"ev-{ended.pid}-x", *stays]:
        (tmp_path / name / "inner").mkdir(parents=True)
    with scratch("ev-", tmp_path) as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o077 == 0
        assert {path.name for path in tmp_path.iterdir()} == {*stays, folder.name}
    assert {path.name for path in tmp_path.iterdir()} == stays

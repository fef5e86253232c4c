"""The benchmark for a GPU runs through on a CPU, tiny, so that it works when there is a GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu_training.py"


@pytest.mark.timeout(300)
def test_it_runs_through_and_its_checks_hold(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--device", "cpu", "--rounds", "1", "--images", "16", "--epochs", "1"]
    subprocess.run([*command, "--seeds", "2", "--out", str(tmp_path / "found")], check=True, capture_output=True)
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["check"][0]["holds"]
    assert all(row["apart"] < row["moved"] for row in found["check"])
    assert all(row["bf16_ratio"][0] > 0 and row["fp32_images_per_s"] > 0 for row in found["speed"])
    assert found["study"][-1]["complete"] is False
    assert [row["net"] for row in found["precision"]] == ["scalecnn", "mobilenetv2"]
    assert "## speed" in (tmp_path / "found.md").read_text()

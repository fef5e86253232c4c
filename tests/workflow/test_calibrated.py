"""An exported file is as it should be if it was calibrated with as many images as it would be now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeval.records.ladder import Ladder, load_ladder
from edgeval.workflow.export import ExportJob, ExportOptions

CARD = """
schema = "edgeval/ladder/1"
name = "few"
task = { train = "few.npz", test = "few.npz" }
net = { name = "scalecnn", widths = [4] }
"""


@pytest.fixture
def few(tmp_path: Path) -> Ladder:
    """A ladder of classifiers with twenty training images."""
    np.savez(tmp_path / "few.npz", x=np.zeros((20, 8, 8, 3), np.uint8), y=np.arange(20) % 2)
    (tmp_path / "few.toml").write_text(CARD)
    return load_ladder(str(tmp_path / "few.toml"))


@pytest.mark.parametrize(
    ("asked", "found", "right"),
    [(None, 20, True), (None, 19, False), (None, 256, True), (10, 10, True), (10, 20, False), (20, 10, False)],
)
def test_all_of_a_small_training_set_are_enough(
    few: Ladder, tmp_path: Path, asked: int | None, found: int, right: bool
) -> None:
    options = ExportOptions(calibration_images=asked)
    assert ExportJob(few, few.rungs[0], 0, tmp_path, options).takes(found) is right

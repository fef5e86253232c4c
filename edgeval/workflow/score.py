"""Score one table of predictions."""

from __future__ import annotations

from pathlib import Path

from edgeval.compare.score import score
from edgeval.records.findings import Score
from edgeval.records.predictions import read_table


def score_table(path: Path) -> Score:
    """Every measure of the table at `path`."""
    return score(read_table(path))

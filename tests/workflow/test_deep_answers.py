"""The kept errors of simulated magnets: the ranges of their outputs stand in the file, also in one begun without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeval.cli.edge import run
from edgeval.physics.picture import Window
from edgeval.physics.plan import Plan
from edgeval.records.ladder import load_ladder
from edgeval.records.regressors import encode_regressors, read_regressors
from edgeval.records.reporter import Silent
from edgeval.records.units import Unit
from edgeval.store import Store
from edgeval.workflow.deep_answers import KeptErrors
from edgeval.workflow.simulate import data_set
from tests.workflow.test_fit_chain import CARD

TASK = 'task = { magnets = "set", test_images = 24, validation_images = 16 }'
RANGES = ((0.9, 1.9), (1.0, 3.0), (0.05, 0.15))
UNITS = tuple(
    Unit(name=name, low=low, high=high) for name, (low, high) in zip(("degrees", "meV", "meV"), RANGES, strict=True)
)


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ladder beside 60 magnets of ranges that are not the usual ones."""
    monkeypatch.chdir(tmp_path)
    lines = [TASK if line.startswith("task") else line for line in CARD.splitlines()]
    Path("tiny.toml").write_text(
        "\n".join(lines).replace("[4, 16]", "[4]").replace("[40, 200]", "[20]").replace("300", "20")
    )
    data_set(Plan(ranges=RANGES, window=Window(400, 16), shard_size=20), 60, Path("set"), 1, Silent())
    return "tiny.toml"


def test_the_ranges_of_the_magnets_are_kept_and_added_to_an_older_file(card: str) -> None:
    ladder, store = load_ladder(card), Store(Path("runs"))
    kept = KeptErrors(store, Path("kept"))
    kept.suits(ladder)
    kept.baselines(ladder, 20, lambda _done, _of: None)
    whole = read_regressors(kept.path)
    assert whole.units == UNITS
    kept.path.write_bytes(encode_regressors(replace(whole, units=())))
    KeptErrors(store, Path("kept")).suits(ladder)
    again = read_regressors(kept.path)
    assert (again.units, again.models) == (UNITS, whole.models)


def test_a_study_of_magnets_reports_their_units(card: str) -> None:
    assert run(f"study deep-regression --ladder {card} --trained-only --seed 0 -q".split()) == 0
    assert "theta 0.9 to 1.9 degrees" in Path("runs/studies/deep-regression/study.md").read_text()

"""`edgeval models show`: a ladder as it is understood."""

from __future__ import annotations

import tomllib

import pytest

from edgeval.cli.edge import run

DIGITS = [0.498, 0.498, 0.499], [0.22, 0.22, 0.221]


@pytest.mark.parametrize(
    ("name", "tables", "pixels"),
    [
        ("fcn-cri3-small", {"task", "net", "regression", "export"}, (1.0, [0.97, 0.63], [0.094, 0.63])),
        (
            "scalecnn-digits100",
            {"task", "net", "train", "export"},
            (1 / 255, *DIGITS),
        ),
    ],
)
def test_a_ladder_is_shown_with_what_counts_for_it(
    capfd: pytest.CaptureFixture[str], name: str, tables: set[str], pixels: tuple[float, list[float], list[float]]
) -> None:
    assert run(["models", "show", name]) == 0
    card = tomllib.loads(capfd.readouterr().out)
    assert {key for key, value in card.items() if isinstance(value, dict)} == tables
    assert (card["task"]["scale"], card["task"]["mean"], card["task"]["std"]) == pixels

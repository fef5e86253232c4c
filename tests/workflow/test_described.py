"""A board that is not the one of its card: it is said, kept with the answers, and gone once the card is right."""

from __future__ import annotations

from pathlib import Path

from edgeval.records.artifact import Preprocess
from edgeval.records.predictions import Source
from edgeval.records.reporter import Progress
from edgeval.store import Store
from edgeval.workflow.artifact import Model
from edgeval.workflow.bench import open_bench
from edgeval.workflow.described import board_notes
from edgeval.workflow.record import recorded
from edgeval.workflow.run import run_model
from tests.run.tiny_models import SIDE, make_samples, write_tflite

CARD = """schema = "edgeval/device/1"
name = "lab"
[transport]
type = "local"
"""
ANOTHER = CARD + '[expect]\nmachine = "z80"\n'


class Ear:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def bar(self, label: str, unit: str = "images") -> Progress:
        return lambda done, total: None


def ran(folder: Path, text: str, ear: Ear, *, tape: Path | None = None) -> Source:
    """The source of a tiny model's answers on a device of that card, recorded to `tape`."""
    card = folder / "lab.toml"
    card.write_text(text)
    path = folder / "tiny.tflite"
    model = Model(path if path.exists() else write_tflite(path, (1, SIDE, SIDE, 3)), "tiny", "tflite", Preprocess())
    place = open_bench(str(card), reporter=ear)
    if tape:
        place = recorded(str(card), tape, emulate=False, command="", reporter=ear)
    with place as bench:
        return run_model(model, make_samples(20), bench, Store(folder / "runs"), ear)[0].source


def test_another_board_than_the_cards_is_told_and_forgotten_once_the_card_is_right(tmp_path: Path) -> None:
    ear = Ear()
    (note,) = board_notes(ran(tmp_path, ANOTHER, ear))
    assert note.endswith("the card expects z80")
    assert any("lab is not the board of its card" in text and f"check {tmp_path}/lab.toml" in text for text in ear.said)
    assert board_notes(ran(tmp_path, CARD, ear)) == ()
    assert board_notes(ran(tmp_path, ANOTHER, ear)) == (note,)


def test_a_recording_of_another_board_still_says_so(tmp_path: Path) -> None:
    ran(tmp_path, ANOTHER, Ear(), tape=tmp_path / "tape.npz")
    (tmp_path / "lab.toml").unlink()
    with open_bench(str(tmp_path / "tape.toml")) as bench:
        model = Model(tmp_path / "tiny.tflite", "tiny", "tflite", Preprocess())
        source = run_model(model, make_samples(20), bench, Store(tmp_path / "again"), Ear())[0].source
    assert "the card expects z80" in board_notes(source)[0]


def test_a_stand_in_is_not_held_against_the_card(tmp_path: Path) -> None:
    stand_in = '[emulate]\ncard = "desktop"\nfidelity = "approximate"\n'
    (tmp_path / "lab.toml").write_text(ANOTHER + stand_in)
    with open_bench(str(tmp_path / "lab.toml"), emulate=True) as bench:
        assert "unexpected" not in bench.facts

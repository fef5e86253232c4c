"""A ladder card that learns numbers: what it may say, its rungs, and what does not go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.errors import CardError
from edgeval.records.ladder import Ladder, load_ladder

GOOD = """
schema = "edgeval/ladder/1"
name = "mine"
task = { magnets = "magnets" }
net = { name = "vit", widths = [64, 128] }
[regression]
images = [250, 1000]
updates = 10
seeds = [3, 4]
"""


def card(folder: Path, text: str) -> Ladder:
    (folder / "mine.toml").write_text(text)
    return load_ladder(str(folder / "mine.toml"))


def test_rungs_are_widths_times_training_sets_and_the_last_is_the_largest(tmp_path: Path) -> None:
    found = card(tmp_path, GOOD)
    assert [rung.name for rung in found.rungs] == ["d64-n250", "d64-n1000", "d128-n250", "d128-n1000"]
    assert (found.rung("d64-n1000").images, found.rung("d64-n1000").width, found.seeds) == (1000, 64, (3, 4))
    assert found.regression is not None
    assert found.regression.searched == 2
    assert card(tmp_path, GOOD.replace("[250, 1000]", "[250]")).rung("64").name == "d64-n250"
    with pytest.raises(CardError, match="choose from d64-n250, d64-n1000"):
        found.rung("d64")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[regression]", "[train]\nepochs = 3\n[regression]", r"stands in place of .* \(seen: \[train\]\)"),
        ('{ magnets = "magnets" }', '{ name = "cifar100" }', r"needs magnets, .* \(seen: name = .cifar100.\)"),
        ('{ magnets = "magnets" }', '{ name = "cri3", magnets = "magnets" }', "give either"),
        ("[250, 1000]", "[1000, 250]", r"regression\.images must rise .* \(seen: 1000, 250\)"),
        ("[250, 1000]", "[250, 250]", "each once"),
        ("[250, 1000]", "[]", r"regression\.images must be a list of at least 1 value \(seen: \[\]\)"),
        ("[250, 1000]", "[250, 2.5]", r"value 2 of regression\.images must be a whole number \(seen: 2\.5\)"),
        ("[3, 4]", "[3, 3]", r"regression\.seeds must hold each value once \(seen: \[3, 3\]\)"),
        ("[3, 4]", "[99999999999999999999]", "must be less than 9223372036854775808"),
        ("seeds", "rates = [1e-3, 1e-3]\nseeds", r"regression\.rates must hold each value once"),
        (
            "seeds",
            "checks = 11\nseeds",
            r"checks must be at most regression\.updates \(seen: checks = 11",
        ),
        ("seeds", "search_updates = 11\nseeds", r"search_updates must be at most regression\.updates"),
        ("updates", "update", "did you mean updates"),
        ("64, 128", "66, 128", "multiples of 4"),
        ("widths", "stride = 2, widths", "of resnet's stem"),
        ('"vit", widths = [64', '"fcn", widths = [6.5', "whole numbers"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(CardError, match=said):
        card(tmp_path, GOOD.replace(old, new))


def test_a_stride_of_one_is_what_a_card_without_it_has(tmp_path: Path) -> None:
    net = GOOD.replace('"vit"', '"resnet"')
    plain, one, two = (
        card(tmp_path, net.replace("widths", f"{words}widths")).net for words in ("", "stride = 1, ", "stride = 2, ")
    )
    assert plain.identity() == one.identity() == {"name": "resnet", "factory": None, "checkpoint": None}
    assert two.identity() == one.identity() | {"stride": 2}
    with pytest.raises(CardError, match="stride"):
        card(tmp_path, net.replace("widths", "stride = 3, widths"))


def test_magnets_without_a_table_of_regression_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"add a table \[regression\]"):
        card(tmp_path, GOOD.partition("[regression]")[0])

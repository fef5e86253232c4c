"""A card as text: it reads back as what it was, whatever stands in it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from edgeval.records.cards import available
from edgeval.records.ladder import load_ladder
from edgeval.records.target import load_target
from edgeval.records.toml import as_toml


@pytest.mark.parametrize("name", sorted(available("devices")))
def test_a_device_card_reads_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(as_toml(load_target(name).table()))
    assert load_target(str(path)).model_dump() == load_target(name).model_dump()


@pytest.mark.parametrize("name", sorted(available("models")))
def test_a_ladder_card_reads_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(as_toml(load_ladder(name).model_dump(mode="json", by_alias=True)))
    assert load_ladder(str(path)).model_dump() == load_ladder(name).model_dump()


def test_odd_keys_and_texts() -> None:
    table = {"a b": 'say "é"\n', "none": None, "t": {"x.y": {"k": 1.5}, "empty": {}}, "on": True, "many": ["1", "2"]}
    kept = {"a b": 'say "é"\n', "t": {"x.y": {"k": 1.5}}, "on": True, "many": ["1", "2"]}
    assert tomllib.loads(as_toml(table)) == kept

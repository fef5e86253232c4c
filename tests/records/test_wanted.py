"""Places and values of a card in words."""

from __future__ import annotations

import pytest

from edgeval.records.wanted import place, shown


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ((), ""),
        (("net", "widths"), "net.widths"),
        (("net", "widths", 1), "value 2 of net.widths"),
        (("gate", "rules", 0), "value 1 of gate.rules"),
        (("gate", "rules", 0, "metric"), "metric in table 1 of gate.rules"),
        (("gate", "rules", 2, "classes", 1), "value 2 of classes in table 3 of gate.rules"),
    ],
)
def test_a_place_counts_from_one(keys: tuple[int | str, ...], said: str) -> None:
    assert place(keys) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [({"a": 1}, ""), (True, "true"), ([], "[]"), ("x", "'x'"), (0.5, "0.5"), ("y" * 500, f"'{'y' * 119}")],
)
def test_a_value_is_shown_as_a_card_has_it(value: object, said: str) -> None:
    assert shown(value) == said

"""Networks that must not be pooled, or set beside each other's baselines, are refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgeval.compare.deep.alike import Learnt, check_alike
from edgeval.compare.deep.whole import analyse
from edgeval.errors import DataError
from edgeval.records.predictions import Source
from edgeval.records.regressors import Regressor, no_regressors

ONE = Learnt("one", "fcn", 16, 250, "usual", "recipe", "images")


@pytest.mark.parametrize(
    "change",
    [
        {"ladder": "two"},
        {"ladder": "two", "width": 32, "mark": "other"},
        {"ladder": "two", "net": "vit", "mark": "other"},
        {"ladder": "two", "protocol": "longer", "mark": "other"},
        {"ladder": "two", "images": 500, "mark": "other", "train_sha256": "more"},
    ],
)
def test_what_goes_together(change: dict[str, Any]) -> None:
    check_alike([ONE, replace(ONE, **change)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"ladder": "two", "mark": "other"},
            r"two recipes .*seen: usual: one and two.*; give one card another protocol",
        ),
        ({"mark": "other"}, r"seen: usual: one\); .* edgeval train one --overwrite"),
        ({"ladder": "two", "mark": "other", "train_sha256": "x"}, "250 images learn from different ones .*one and two"),
        ({"ladder": "two", "net": "vit", "mark": "other", "train_sha256": "x"}, "each with its own --runs DIR"),
    ],
)
def test_what_does_not(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_alike([ONE, replace(ONE, **change)])


@pytest.mark.parametrize(("marks", "refused"), [(("a", "a"), False), (("a", "b"), True), (("a", None), False)])
def test_a_file_of_seeds_with_two_recipes_is_not_analysed(marks: tuple[str | None, ...], refused: bool) -> None:
    targets = np.random.default_rng(0).random((50, 1))
    found = no_regressors("sha", targets, ("theta",))
    kind: dict[str, Any] = {"ladder": "l", "net": "fcn", "rung": "w4-n50", "width": 4, "images": 50, "protocol": "p"}
    for seed, mark in enumerate(marks):
        source = Source(name="fcn", format="torch", origin="desktop", params=10, sha256=str(seed))
        line = Regressor(**kind, seed=seed, source=source, mark=mark, train_sha256=mark and "images")
        found = found.having(line, targets + 0.01)
    if refused:
        with pytest.raises(DataError, match="fcn of width 4 on 50 images has two recipes under one protocol"):
            analyse(found, name="x")
    else:
        assert analyse(found, name="x").rows[0].seeds == (0, 1)

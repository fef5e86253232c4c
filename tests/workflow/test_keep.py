"""The smallest rung within a margin: what is typed, the walk down the ladder, and agreement with the gate."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeval.compare.deployed import Answered, answered
from edgeval.errors import InputError
from edgeval.records.predictions import Predictions, Source
from edgeval.store import Store
from edgeval.workflow.keep import keep, margin_rule
from tests.conftest import Typed

N, CLASSES = 4_000, 20
BAD = {
    "unknown": ("botom5=5pt", "did you mean bottom5"),
    "no size": ("bottom5", "takes a measure and a margin"),
    "wrong unit": ("bottom5=5ms", "'ms' does not go with bottom5"),
    "needs classes": ("class_accuracy=5pt", "takes a measure and a margin"),
    "negative": ("top1=-1pt", "never negative"),
}


@pytest.mark.parametrize(("typed", "said"), BAD.values(), ids=BAD)
def test_margins_that_make_no_sense(typed: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        margin_rule(typed)
    assert said in str(caught.value)


def test_a_margin_is_a_drop_or_an_increase() -> None:
    assert margin_rule("top1 = 2pt").limit == "max_drop"
    assert margin_rule("ece=0.02").limit == "max_increase"


def network(store: Store, rung: str, params: int, share: float, seed: int = 0) -> Answered:
    """A network that errs on a share of the images, those of a smaller share among them."""
    labels = np.arange(N) % CLASSES
    order = np.random.default_rng(seed).permutation(N)
    classes = np.where(order < share * N, (labels + 1) % CLASSES, labels)
    names, ids = tuple(f"k{k}" for k in range(CLASSES)), tuple(str(k) for k in range(N))
    table = Predictions(labels, classes, names, "classes", Source(name=rung, format="x", params=params), None, ids)
    path = store.write_table(store.table(f"{rung}-{share}-{seed}"), table)
    return answered(table, rung, seed, path)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_the_walk_goes_down_to_the_first_rung_that_does_not_hold(store: Store) -> None:
    ran = [network(store, name, n, s) for name, n, s in (("a", 1, 0.3), ("b", 2, 0.13), ("c", 3, 0.11), ("d", 4, 0.1))]
    (found,) = keep([margin_rule("top1=2pt")], ran, [network(store, "d", 4, 0.1)], store)
    assert (found.rung, found.margin) == ("c", 0.02)
    assert [(one.rung, one.status) for one in found.asked] == [("d", "PASS"), ("c", "PASS"), ("b", "FAIL")]


def test_an_undecided_rung_is_no_answer_and_asks_for_images(store: Store) -> None:
    ran = [network(store, "a", 1, 0.119), network(store, "d", 2, 0.1)]
    (found,) = keep([margin_rule("top1=2pt")], ran, [network(store, "d", 2, 0.1)], store)
    assert found.rung == "d"
    assert found.asked[1].status == "INCONCLUSIVE"
    assert (found.asked[1].more_images or 0) > 0


def test_every_seed_must_hold_and_those_without_a_reference_do_not_count(store: Store) -> None:
    ran = [network(store, "d", 2, share, seed) for seed, share in enumerate((0.1, 0.2, 0.9))]
    full = [network(store, "d", 2, 0.1, seed) for seed in (0, 1)]
    (found,) = keep([margin_rule("top1=2pt")], ran, full, store)
    assert found.rung is None
    (asked,) = found.asked
    assert (asked.status, asked.seeds, asked.seed) == ("FAIL", (0, 1), 1)


def test_what_cannot_be_trusted_is_not_judged(store: Store) -> None:
    one = network(store, "d", 2, 0.1)
    table = store.read_table(one.path).with_source(origin="device", runtime=None)
    store.write_table(one.path, table)
    (found,) = keep(
        [margin_rule("top1=2pt")], [replace(one, source=table.source)], [network(store, "d", 2, 0.101)], store
    )
    assert (found.rung, found.asked[0].status) == (None, "NO_VERDICT")
    assert found.asked[0].why


def test_the_command_agrees_with_the_gate(type_there: Callable[[str], Typed]) -> None:
    code, out, err = type_there("scaling scalecnn-digits100 --keep top1=6pt --json -")
    assert code == 0, err
    (kept,) = json.loads(out)["deployed"][0]["kept"]
    assert (kept["rung"], [one["rung"] for one in kept["asked"]]) == ("c8", ["c12", "c8", "c4"])
    Path("keep.toml").write_text('[[gate.rules]]\nmetric = "top1"\nmax_drop = "6pt"\n', encoding="utf-8")
    code, out, err = type_there("gate scalecnn-digits100 --rung c8 --config keep.toml --json -")
    (rule,) = json.loads(out)["verdict"]["rules"]
    assert (rule["status"], rule["bound"]) == (kept["asked"][1]["status"], pytest.approx(kept["asked"][1]["bound"]))

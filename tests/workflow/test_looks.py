"""Looks at the data: counted, spent, repeated, and begun anew for another candidate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeval.compare.pair import weigh
from edgeval.records.evidence import Evidence
from edgeval.records.looks import LookLedger
from edgeval.records.predictions import Predictions, Source
from edgeval.records.verdict import Status
from edgeval.store import Store
from edgeval.workflow.looks import remember, sight


def evidence(n: int, *, seed: int = 0, name: str = "new") -> Evidence:
    """The first n of one list of answers."""
    rng = np.random.default_rng(seed)
    labels, answers = np.arange(1000) % 3, rng.integers(0, 3, 1000)
    ids = tuple(f"s{i}" for i in range(1000))
    made = Predictions(labels, labels.copy(), tuple("abc"), "classes", Source(name="old", format="npz"), ids=ids)
    other = replace(made, classes=answers, source=Source(name=name, format="npz"))
    keep = np.arange(n)
    return weigh(made.take(keep), other.take(keep))


def look(found: Evidence, store: Store, planned: int = 1, status: Status = "INCONCLUSIVE") -> tuple[int, float]:
    sighting = sight(found, store, planned)
    remember(sighting, status, store)
    return sighting.look.number, sighting.look.spends


def test_an_extended_set_is_one_more_look_and_the_same_set_is_not(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert look(evidence(100), store) == (1, 1.0)
    assert look(evidence(100), store) == (1, 1.0)
    assert look(evidence(300), store) == (2, 0.1)
    assert look(evidence(600), store) == (3, 0.05)
    assert look(evidence(300), store) == (2, 0.1)


def test_planned_looks_share_the_level(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert [look(evidence(n), store, planned=2)[1] for n in (100, 200, 300, 400)] == [0.5, 0.5, 0.1, 0.05]


def test_a_plan_made_after_the_first_look_finds_nothing_left(tmp_path: Path) -> None:
    store = Store(tmp_path)
    look(evidence(100), store)
    assert look(evidence(200), store, planned=3) == (2, 0.1)


def test_changed_answers_or_another_name_are_another_candidate(tmp_path: Path) -> None:
    store = Store(tmp_path)
    look(evidence(100), store)
    assert look(evidence(200, name="newer"), store) == (1, 1.0)
    assert look(evidence(200, seed=5), store) == (1, 1.0)


def test_without_a_verdict_nothing_is_spent(tmp_path: Path) -> None:
    store = Store(tmp_path)
    look(evidence(100), store, status="NO_VERDICT")
    assert look(evidence(300), store) == (1, 1.0)


def test_a_note_tells_what_was_spent(tmp_path: Path) -> None:
    store = Store(tmp_path)
    look(evidence(100), store)
    note = sight(evidence(300), store, 1).look.note
    assert note.startswith("look 2 at these data (100 then 300 images); not all were planned")
    assert note.endswith("together they may spend 1.1 times the level")


@pytest.mark.parametrize("planned", [1, 2, 5])
def test_all_looks_together_never_spend_much_more_than_the_level(planned: int) -> None:
    ledger = LookLedger(reference="a", candidate="b", target="c")
    total = 0.0
    for k in range(40):
        spends, room = ledger.next_share(planned)
        total += spends
        one = {"number": k + 1, "n": k, "fingerprint": "f", "spends": spends, "planned": room}
        one |= {"status": "FAIL", "time": ""}
        ledger = LookLedger.model_validate({**ledger.model_dump(by_alias=True), "looks": [*ledger.looks, one]})
    assert total <= 1.2 + 1e-9

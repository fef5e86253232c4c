"""Disagreement of devices, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.compare.fleet import disagreement
from edgeval.measures.paired import wilson
from edgeval.records.predictions import Predictions, Source

LABELS = np.array([0, 1, 2, 0, 1, 2])
IDS = tuple("abcdef")


def table(target: str, answers: list[int], *, sha256: str | None = "f" * 64, data: str = "d") -> Predictions:
    source = Source(name="m", format="tflite", target=target, sha256=sha256, data_sha256=data)
    return Predictions(LABELS, np.array(answers), ("x", "y", "z"), "classes", source, ids=IDS)


ONE = table("one", [0, 1, 2, 0, 0, 0])  # errs on e, f
OTHER = table("other", [0, 1, 0, 0, 1, 1])  # errs on c, f; f with another wrong answer


def test_a_pair_is_counted_answer_by_answer() -> None:
    (pair,) = disagreement([ONE, OTHER])
    assert (pair.one, pair.other, pair.n) == ("one", "other", 6)
    assert (pair.changed, pair.lost, pair.gained) == (3, 1, 1)
    assert pair.jaccard == pytest.approx(1 / 3)
    assert pair.ci95 == wilson(1, 3)


def test_pairs_are_aligned_by_id() -> None:
    turned = OTHER.take(np.arange(6)[::-1])
    assert disagreement([ONE, turned]) == disagreement([ONE, OTHER])


def test_every_pair_of_the_same_file_and_of_no_other() -> None:
    tables = [ONE, OTHER, table("third", [0, 1, 2, 0, 1, 2]), table("x", [0] * 6, sha256="e" * 64)]
    tables += [table("y", [0] * 6, sha256=None), table("z", [0] * 6, data="another")]
    found = disagreement(tables)
    assert [(pair.one, pair.other) for pair in found] == [("one", "other"), ("one", "third"), ("other", "third")]


def test_two_devices_without_an_error_have_no_jaccard() -> None:
    (pair,) = disagreement([table("a", [0, 1, 2, 0, 1, 2]), table("b", [0, 1, 2, 0, 1, 2])])
    assert (pair.changed, pair.jaccard, pair.ci95) == (0, None, None)

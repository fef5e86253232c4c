"""Comparisons: by hand on a small case, closing sums on random ones, pairing by id, and what cannot be paired."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeval.compare.pair import Context, compare
from edgeval.compare.score import score
from edgeval.compare.side import Side
from edgeval.compare.stages import Link, trace
from edgeval.errors import DataError, IntegrityError
from edgeval.measures import calibration
from edgeval.records.findings import METRICS
from edgeval.records.predictions import Predictions, Source, from_outputs
from edgeval.workflow.report import as_json


def table(classes: list[int], labels: list[int], **changes: object) -> Predictions:
    """A table of bare answers over three classes."""
    ids = tuple(f"s{i}" for i in range(len(labels)))
    made = Predictions(
        np.array(labels), np.array(classes), tuple("abc"), "classes", Source(name="m", format="f"), ids=ids
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def outputs(seed: int, n: int = 300, noise: float = 1.0, classes: int = 8) -> Predictions:
    """A table of logits; equal seeds up to noise share their signal."""
    labels = np.random.default_rng(0).integers(0, classes, n)
    values = np.random.default_rng(1).normal(size=(n, classes)) + 2 * np.eye(classes)[labels]
    values += noise * np.random.default_rng(seed).normal(size=values.shape)
    names, ids = tuple(f"k{i}" for i in range(classes)), tuple(str(i) for i in range(n))
    source = Source(name=f"m{seed}", format="torch")
    return from_outputs(values.astype(np.float32), labels, kind="logits", class_names=names, ids=ids, source=source)


LABELS = [0, 0, 1, 1, 2, 2, 2, 2]
BEFORE = table([0, 0, 1, 0, 2, 2, 2, 0], LABELS)
AFTER = table([0, 1, 1, 1, 2, 2, 0, 0], LABELS)


def test_a_small_case_by_hand() -> None:
    found = compare(BEFORE, AFTER)
    assert (found.flips.both_right, found.flips.lost, found.flips.gained, found.flips.both_wrong) == (4, 2, 1, 1)
    assert found.flips.lost_ids == ("s1", "s6")
    assert found.flips.gained_ids == ("s3",)
    assert found.metrics["top1"].delta == pytest.approx(-1 / 8)
    assert (found.overlap.errors_reference, found.overlap.errors_candidate) == (2, 3)
    assert found.overlap.jaccard == pytest.approx(1 / 4)
    assert found.overlap.jaccard_max == pytest.approx(2 / 3)
    assert found.mcnemar.p == pytest.approx(1.0)
    assert [row.delta for row in found.per_class] == pytest.approx([-0.5, 0.5, -0.25])
    assert found.metrics["ece"].delta is None
    assert found.verdict is None


def test_every_delta_has_its_interval_and_json_has_no_nan() -> None:
    found = compare(outputs(2), outputs(3))
    for name in METRICS:
        delta = found.metrics[name]
        assert delta.delta is not None
        assert delta.ci95 is not None
        assert delta.ci95[0] <= delta.ci95[1]
    body = json.loads(as_json([found]), parse_constant=pytest.fail)
    assert {
        "schema",
        "reference",
        "candidate",
        "target",
        "n",
        "metrics",
        "per_class",
        "overlap",
        "flips",
        "mcnemar",
    } <= set(body)
    assert {"latency_ms", "stages", "kernel_floor", "expected", "verdict"} <= set(body)
    assert set(json.loads(as_json([found, found]))) == {"schema", "rows"}


def test_a_table_compared_with_itself_differs_in_nothing() -> None:
    found = compare(outputs(2), outputs(2))
    for name in METRICS:
        low, high = found.metrics[name].ci95 or (1, -1)
        assert found.metrics[name].delta == 0
        assert low <= 0 <= high
    assert found.overlap.jaccard == 1
    assert found.flipped == ()


def test_the_interval_of_top1_covers_as_it_says() -> None:
    inside = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        labels = np.zeros(400, dtype=np.int64)
        a = (rng.random(400) > 0.8).astype(np.int64)
        b = np.where(rng.random(400) < 0.1, 1 - a, a)
        found = compare(table(a.tolist(), labels.tolist()), table(b.tolist(), labels.tolist()), Context(seed=seed))
        low, high = found.metrics["top1"].ci95 or (0, 0)
        inside += low <= -0.1 * (0.8 - 0.2) <= high
    assert inside >= 132


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_stages_close(seed: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 60)
    tables = [table(np.where(rng.random(60) < 0.6, labels, 0).tolist(), labels.tolist()) for _ in range(steps + 1)]
    names = ("size", "export", "quantisation", "device", "device")
    links = tuple(Link(name, str(i), t) for i, (name, t) in enumerate(zip(names, tables[1:], strict=False)))
    found = trace(tables[0], links)
    first, last = tables[0].correct, tables[-1].correct
    assert sum(s.net for s in found.stages) == last.sum() - first.sum()
    assert sum(s.charged_lost for s in found.stages) == (first & ~last).sum()
    assert sum(s.charged_gained for s in found.stages) == (~first & last).sum()
    changed = np.any([a.correct != b.correct for a, b in pairwise(tables)], axis=0)
    assert found.cancelled == (changed & (first == last)).sum()


def test_a_flip_is_charged_to_the_last_change() -> None:
    chain = [table([answer], [0]) for answer in (0, 1, 0, 1)]
    names = ("size", "export", "quantisation")
    found = trace(chain[0], tuple(Link(n, n, t) for n, t in zip(names, chain[1:], strict=True)))
    assert found.charged(0) == "quantisation"
    assert [(s.lost, s.gained, s.charged_lost) for s in found.stages] == [(1, 0, 0), (0, 1, 0), (1, 0, 1)]


def test_rows_pair_by_id_whatever_their_order() -> None:
    order = np.random.default_rng(4).permutation(300)
    straight, shuffled = compare(outputs(2), outputs(3)), compare(outputs(2), outputs(3).take(order))
    assert straight.metrics == shuffled.metrics
    assert straight.flips == shuffled.flips


def test_without_ids_rows_pair_by_position_and_this_is_said() -> None:
    found = compare(replace(BEFORE, ids=None), AFTER)
    assert found.flips.lost_ids == ("s1", "s6")
    assert any("paired by position" in note for note in found.notes)


BROKEN = [
    (replace(AFTER, ids=(*AFTER.ids[:-1], "other")), "different samples"),  # type: ignore[index]
    (AFTER.take(np.arange(5)), "different samples"),
    (replace(AFTER, labels=1 - np.minimum(AFTER.labels, 1)), "different labels"),
    (replace(AFTER, class_names=("a", "b")), "different numbers of classes"),
    (replace(AFTER, class_names=("a", "c", "b")), "another order"),
    (replace(AFTER.take(np.arange(5)), ids=None), "without ids"),
    (replace(AFTER, ids=None, labels=AFTER.labels[::-1]), "same labels in the same order"),
]


@pytest.mark.parametrize(("candidate", "said"), BROKEN)
def test_what_cannot_be_paired_is_refused(candidate: Predictions, said: str) -> None:
    with pytest.raises(DataError, match=said):
        compare(BEFORE, candidate)


def test_another_class_order_in_a_run_of_edgeval_is_a_matter_of_integrity() -> None:
    with pytest.raises(IntegrityError, match="another order") as caught:
        compare(BEFORE, replace(AFTER, class_names=("a", "c", "b")).with_source(origin="desktop"))
    assert caught.value.exit_code == 5


def test_numbered_classes_take_the_other_sides_names() -> None:
    assert compare(BEFORE, replace(AFTER, class_names=("0", "1", "2"))).class_names == ("a", "b", "c")


def test_the_sides_ece_is_the_measure_that_is_checked_against_scikit_learn() -> None:
    side = Side(outputs(2))
    confidences = side.table.confidences
    assert confidences is not None
    assert side.figures["ece"] == pytest.approx(calibration.ece(confidences, side.table.correct), abs=1e-12)
    equal_mass = calibration.ece_equal_mass(confidences, side.table.correct)
    assert side.figures["ece_equal_mass"] == pytest.approx(equal_mass, abs=1e-12)


@pytest.mark.parametrize("wrong", [0, 1, 60])
def test_intervals_have_their_ends_in_order_and_in_range(wrong: int) -> None:
    labels = [i % 3 for i in range(60)]
    answers = [(label + (i < wrong)) % 3 for i, label in enumerate(labels)]
    found = score(table(answers, labels))
    for estimate in (found.gini, found.bottom5, found.top1):
        low, high = estimate.ci95 or (0, 0)
        assert 0 <= low <= high <= 1


def test_score_matches_compare_and_leaves_out_empty_classes() -> None:
    a = outputs(2)
    found = score(a)
    assert found.top1.value == pytest.approx(compare(a, a).metrics["top1"].reference or 0)
    assert found.ece.value == pytest.approx(compare(a, a).metrics["ece"].reference or 0)
    empty = score(replace(BEFORE, class_names=("a", "b", "c", "d")))
    assert empty.per_class[3].value is None
    assert empty.gini.value == pytest.approx(score(BEFORE).gini.value or 0)
    assert any("no sample" in note for note in empty.notes)


def test_a_class_without_a_sample_is_never_the_worst() -> None:
    """Nothing was lost, so every p is 1; the first class has no sample."""
    found = compare(table([2, 1, 2, 2], [1, 1, 2, 2]), table([1, 1, 2, 2], [1, 1, 2, 2]))
    assert found.worst_class is not None
    assert (found.worst_class.name, found.worst_class.n, found.worst_class.p) == ("b", 2, 1.0)
    assert "NaN" not in found.model_dump_json()

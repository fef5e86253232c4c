"""Two regression tables compared: pairing, figures worked out by hand, and everything that is not defined."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from edgeval.compare.regress import RegressionContext, compare_values
from edgeval.compare.regression_score import score_values
from edgeval.errors import DataError
from edgeval.records.predictions import Source
from edgeval.records.regression import RegressionComparison
from edgeval.records.values import Values


def table(targets: Any, values: Any, names: tuple[str, ...] = ("angle",), ids: Any = "rows") -> Values:
    """A table; ids are row numbers unless given."""
    one, two = (np.array(a, dtype=float).reshape(len(targets), -1) for a in (targets, values))
    ids = tuple(map(str, range(len(targets)))) if isinstance(ids, str) else ids
    return Values(one, two, names, Source(name="m", format="table"), ids)


def pair(n: int = 300, outputs: int = 1, seed: int = 0) -> tuple[Values, Values]:
    """A reference and a copy that moved a little."""
    rng = np.random.default_rng(seed)
    targets = rng.normal(0, 3, (n, outputs))
    before = targets + rng.normal(0, 1, targets.shape)
    names = tuple(f"n{k}" for k in range(outputs))
    return table(targets, before, names), table(targets, before + rng.normal(0.1, 0.2, targets.shape), names)


def test_figures_by_hand() -> None:
    one = table([0, 0, 1, 3], [1, 0, 1, 1])
    row = compare_values(one, table([0, 0, 1, 3], [0, 2, 1, 0]), RegressionContext(tolerance=(1.0,))).comparison
    (out,) = row.per_output
    assert (out.mse.reference, out.mse.candidate, out.mse.delta) == (1.25, 3.25, 2.0)
    assert (out.mae.delta, out.bias.reference, out.max_abs.candidate) == (0.5, -0.25, 3.0)
    assert (out.r2.reference, out.r2.candidate) == pytest.approx((1 - 5 / 6, 1 - 13 / 6))
    assert (row.mse_ratio.value, out.moved.max) == (2.6, 2.0)
    assert row.flips is not None
    assert (row.flips.both_right, row.flips.lost_ids, row.flips.gained, row.flips.both_wrong) == (2, ("1",), 0, 1)
    assert row.metrics["within_tolerance"].delta == -0.25


def test_the_order_of_samples_does_not_matter() -> None:
    one, two = pair()
    order = np.random.default_rng(1).permutation(len(one))
    plain = compare_values(one, two).comparison
    assert compare_values(one, two.take(order)).comparison == plain
    mixed = compare_values(one.take(order), two.take(order)).comparison
    assert mixed.per_output[0].mse.delta == pytest.approx(plain.per_output[0].mse.delta)
    assert [bin.n for bin in mixed.per_output[0].bins] == [bin.n for bin in plain.per_output[0].bins]
    assert mixed.per_output[0].curve == plain.per_output[0].curve


def test_tables_without_ids_pair_by_position_and_say_so() -> None:
    one, two = table([1, 2], [1, 2], ids=None), table([1, 2], [2, 2])
    assert "paired by position" in compare_values(one, two).comparison.notes[0]
    with pytest.raises(DataError, match="same samples"):
        compare_values(one, table([1, 2, 3], [1, 2, 3]))
    with pytest.raises(DataError, match="different targets"):
        compare_values(one, table([1, 3], [1, 2]))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (table([1, 2], [1, 2], ids=("0", "9")), "different samples"),
        (table([1, 2, 3], [1, 2, 3]), "1 more"),
        (table([1, 5], [1, 2]), "first has the id 1"),
        (table([1, 2], [1, 2], names=("width",)), "angle and width"),
        (table([[1, 1], [2, 2]], [[1, 1], [2, 2]], names=("a", "b")), "1 and 2"),
    ],
)
def test_tables_that_do_not_fit(other: Values, said: str) -> None:
    with pytest.raises(DataError) as caught:
        compare_values(table([1, 2], [1, 2]), other)
    assert said in str(caught.value)


def test_targets_kept_as_float32_are_the_same_targets() -> None:
    exact = np.array([0.1, 1 / 3, 2.7])
    row = compare_values(table(exact, exact + 1), table(exact.astype(np.float32), exact + 1)).comparison
    assert row.metrics["mse"].delta == 0


def test_what_is_not_defined_is_null_with_a_reason() -> None:
    row = compare_values(table([2, 2, 2], [2, 2, 2]), table([2, 2, 2], [2, 3, 2])).comparison
    (out,) = row.per_output
    assert (out.r2.delta, "constant" in out.r2.method) == (None, True)
    assert (row.mse_ratio.value, "no error" in row.mse_ratio.method) == (None, True)
    assert out.moved.rms_relative is None
    single = compare_values(table([1], [2]), table([1], [3]), RegressionContext(tolerance=(1.0,)))
    assert (single.comparison.metrics["mse"].delta, single.comparison.metrics["mse"].ci95) == (3.0, None)
    assert single.differences == {}
    for found in (row, single.comparison):
        assert json.loads(json.dumps(json.loads(found.model_dump_json()), allow_nan=False))


def test_equal_answers_have_no_change_and_an_exact_candidate_a_ratio_of_zero() -> None:
    one, _ = pair()
    same = compare_values(one, one).comparison
    assert (same.metrics["mse"].ci95, same.mse_ratio.ci95, same.most_moved) == ((0.0, 0.0), (1.0, 1.0), ())
    exact = compare_values(one, table(one.targets, one.targets, names=one.output_names)).comparison
    assert (exact.mse_ratio.value, exact.mse_ratio.ci95) == (0.0, (0.0, 0.0))


def test_the_evidence_holds_what_a_judge_needs() -> None:
    one, two = pair(outputs=2)
    found = compare_values(one, two, RegressionContext(tolerance=(1.0, 2.0)))
    assert found.errors_reference.shape == (300, 2)
    assert found.within_reference is not None
    assert found.within_reference.mean() == found.comparison.metrics["within_tolerance"].reference
    assert {"mse", "mae", "mse_ratio", "n0/mse_ratio", "n1/r2"} <= set(found.differences)
    ratio = found.differences["mse_ratio"]
    assert ratio.interval() == pytest.approx(found.comparison.mse_ratio.ci95)
    low, high = ratio.interval(0.9)
    assert low < ratio.estimate < high


@pytest.mark.parametrize("tolerance", [(-1.0,), (1.0, 2.0), (float("nan"),)])
def test_tolerances_that_do_not_fit(tolerance: tuple[float, ...]) -> None:
    one, two = pair()
    with pytest.raises(DataError, match="tolerance does not fit"):
        compare_values(one, two, RegressionContext(tolerance=tolerance))


def test_a_coarse_clipped_or_constant_output_is_noticed() -> None:
    one, _ = pair(2000)
    clipped = table(one.targets, np.clip(np.round(one.values / 0.5) * 0.5, -2, 2), names=one.output_names)
    notes = " ".join(compare_values(one, clipped).comparison.notes)
    assert "takes 9 different values in steps of 0.5" in notes
    assert "may be clipped" in notes
    flat = table(one.targets, np.full(2000, 7.0), names=one.output_names)
    assert "answers 7 for every sample" in " ".join(compare_values(one, flat).comparison.notes)


def test_a_score_agrees_with_the_comparison() -> None:
    one, two = pair(outputs=2)
    score, row = score_values(two, tolerance=(1.0,)), compare_values(one, two, RegressionContext((1.0,))).comparison
    assert score.mse.value == pytest.approx(row.metrics["mse"].candidate)
    assert score.per_output[1].r2.value == pytest.approx(row.per_output[1].r2.candidate)
    assert score.within_tolerance is not None
    assert score.within_tolerance.value == row.metrics["within_tolerance"].candidate
    ends = score.per_output[0].mse.ci95
    assert ends is not None
    assert 0 < ends[0] < (score.per_output[0].mse.value or 0) < ends[1]


@pytest.mark.parametrize(
    "change",
    [
        {"per_output": []},
        {"n": 0},
        {"metrics": {}},
        {"tolerance": [1.0]},
        {"tolerance": None},
        {"flips": None},
        {"task": "classification"},
        {"n": float("nan")},
    ],
)
def test_a_record_that_no_comparison_gives_is_refused(change: dict[str, Any]) -> None:
    row = compare_values(*pair(outputs=2), RegressionContext(tolerance=(1.0,))).comparison
    body = row.model_dump(by_alias=True)
    assert RegressionComparison.model_validate(body) == row
    with pytest.raises(ValidationError):
        RegressionComparison.model_validate(body | change)
    body["per_output"][0]["curve"]["reference"] = ()
    with pytest.raises(ValidationError, match="equally long"):
        RegressionComparison.model_validate(body)

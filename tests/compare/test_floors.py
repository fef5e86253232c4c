"""Floors and expectations, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.compare.expected import Point, expected
from edgeval.compare.floors import floor
from edgeval.records.predictions import Predictions, Source


def table(classes: list[int], labels: list[int]) -> Predictions:
    names = tuple("abc")
    return Predictions(np.array(labels), np.array(classes), names, "classes", Source(name="m", format="f"))


def point(params: int, seed: int, **figures: float) -> Point:
    return Point(params, seed, figures)


LADDER = [point(100, 0, top1=0.3, ece=0.1), point(1000, 0, top1=0.5, ece=0.3), point(10_000, 0, top1=0.6, ece=0.2)]


def test_a_floor_is_the_furthest_pair() -> None:
    labels = [0, 0, 1, 1]
    tables = {
        "auto": table([0, 0, 1, 1], labels),
        "builtin": table([0, 1, 1, 1], labels),
        "ref": table([0, 2, 0, 1], labels),
    }
    found = floor(tables, seconds=1.0)
    assert found is not None
    assert [(pair.changed, pair.lost, pair.gained) for pair in found.pairs] == [(1, 1, 0), (2, 2, 0), (2, 1, 0)]
    assert (found.flips, found.share, found.jaccard) == (2, 0.5, 0.0)
    assert floor({"auto": tables["auto"]}) is None


def test_a_rungs_own_seeds_give_a_prediction_band() -> None:
    points = [point(100, 0, top1=0.30), point(100, 1, top1=0.32), point(100, 2, top1=0.34)]
    found, _ = expected(points, 100)
    assert found is not None
    half = 4.302653 * 0.02 * np.sqrt(4 / 3)  # t quantile .975 with 2 degrees of freedom
    assert (found["top1"].value, found["top1"].lo) == pytest.approx((0.32, 0.32 - half), rel=1e-6)
    single, _ = expected(points[:1], 100)
    assert single is not None
    assert single["top1"].lo == single["top1"].hi
    assert "one seed" in single["top1"].method


def test_between_widths_it_is_interpolated_in_log_n_with_the_error_of_leaving_one_out() -> None:
    found, _ = expected(LADDER, 316)
    assert found is not None
    share = np.log(3.16) / np.log(10)
    assert found["top1"].value == pytest.approx(0.3 + 0.2 * share)
    assert found["top1"].hi - found["top1"].value == pytest.approx(0.5 - 0.45)
    assert found["ece"].value == pytest.approx(0.1 + 0.2 * share)
    assert "plain" in found["ece"].method


def test_what_must_rise_with_size_is_made_to() -> None:
    found, _ = expected([point(100, 0, top1=0.5), point(1000, 0, top1=0.4), point(10_000, 0, top1=0.6)], 300)
    assert found is not None
    assert found["top1"].value == pytest.approx(0.45)


@pytest.mark.parametrize(("points", "params", "said"), [(LADDER, 50, "outside the ladder"), ([], 100, "no float")])
def test_never_beyond_the_ladder(points: list[Point], params: int, said: str) -> None:
    found, why = expected(points, params)
    assert found is None
    assert said in why

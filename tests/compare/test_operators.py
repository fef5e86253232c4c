"""What int8 of each kind of operator costs, on answers whose damage is known."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.compare.operators import Answered, Kind, Limit, costs, recommend
from edgeval.records.findings import Estimate
from edgeval.records.predictions import Source

N = 400
SIZES = {"float": 400, "int8": 100, "w8": 110, "16x8": 120, "only norm": 390, "all but norm": 130, "only dense": 150}
KINDS = (Kind("dense", 3, "only dense", "all but dense"), Kind("norm", 9, "only norm", "all but norm"))


def answered(name: str, noise: float) -> Answered:
    """Errors of standard deviation 1, and independent noise on top of them."""
    errors = np.random.default_rng(0).normal(size=(N, 2))
    errors += noise * np.random.default_rng(sum(map(ord, name))).normal(size=(N, 2))
    source = Source(name="m", format="tflite", size_bytes=SIZES.get(name, 380), sha256=name)
    return Answered((errors**2).mean(axis=1), errors, source)


def regressor(**noise: float) -> dict[str, Answered]:
    names = ("float", "int8", "w8", "16x8", *(name for kind in KINDS for name in (kind.only, kind.all_but)))
    return {name: answered(name, noise.get(name.replace(" ", "_"), 0.0)) for name in names}


def test_each_kind_has_its_share_of_the_damage_and_the_costliest_comes_first() -> None:
    found = regressor(int8=1.0, only_norm=0.9, all_but_norm=0.3, only_dense=0.3, all_but_dense=0.95)
    whole, kinds = costs(found, KINDS, Limit("mse_ratio", 0.05))
    assert [one.name for one in whole] == ["float", "int8", "w8", "16x8"]
    assert [row.kind for row in kinds] == ["norm", "dense"]
    norm = kinds[0]
    assert norm.share == pytest.approx(
        (found["int8"].loss - found["all but norm"].loss).mean() / ((found["int8"].loss - found["float"].loss).mean())
    )
    assert norm.cost.ci95 is not None
    assert 1 < norm.cost.ci95[0] < found["int8"].loss.mean() / found["all but norm"].loss.mean() < norm.cost.ci95[1]
    assert (norm.extra_bytes, norm.operators, norm.only.moved) == (30, 9, pytest.approx(0.9, rel=0.1))


@pytest.mark.parametrize(
    ("noise", "taken", "said"),
    [
        ({}, "int8", "Take int8"),
        ({"int8": 1.0, "all_but_dense": 1.0}, "w8", "by norm"),
        ({"int8": 1.0, "w8": 1.0, "16x8": 1.0, "all_but_dense": 1.0}, "all but norm", "Take all but norm"),
        (dict.fromkeys(("int8", "w8", "16x8", "all_but_dense", "all_but_norm"), 1.0), "float", "Stay with float"),
    ],
)
def test_the_smallest_file_inside_the_allowance_is_taken(noise: dict[str, float], taken: str, said: str) -> None:
    limit = Limit("mse_ratio", 0.05)
    best, sentence = recommend(*costs(regressor(**noise), KINDS, limit), limit)
    assert (best.name, said in sentence) == (taken, True), sentence


def test_an_approximate_interval_shows_nothing() -> None:
    limit = Limit("mse_ratio", 0.05)
    for method, held in (("studentised bootstrap", True), ("bootstrap; approximate: 12 samples", False)):
        low, high = (Estimate(value=v, ci95=(v - 0.01, v + 0.01), method=method) for v in (1.02, 1.2))
        assert (limit.holds(low), limit.real(high)) == (held, held)


def test_a_damage_that_may_be_chance_has_no_shares() -> None:
    assert {row.share for row in costs(regressor(), KINDS, Limit("mse_ratio", 0.05))[1]} == {None}


def test_classes_are_counted_as_flips_with_their_interval() -> None:
    classes, found = np.arange(N) % 10, {}
    for name, flipped in {"float": 0, "int8": 40, "only norm": 4, "all but norm": 10}.items():
        answers = np.where(np.arange(N) < flipped, (classes + 1) % 10, classes)
        found[name] = Answered((answers != classes).astype(float), answers, Source(name="m", format="tflite"))
    limit = Limit("top1_drop", 0.01)
    whole, (row,) = costs(found, KINDS[1:], limit)
    assert (whole[1].damage.value, row.cost.value, row.share) == (0.1, 0.075, pytest.approx(0.75))
    assert whole[1].damage.ci95 is not None
    assert 0.07 < whole[1].damage.ci95[0] < 0.1 < whole[1].damage.ci95[1] < 0.14
    assert (whole[1].within, whole[1].moved, "+10.00 points" in recommend(whole, (row,), limit)[1]) == (
        False,
        0.1,
        True,
    )

"""Confidence sets without replacement: exact coverage in small, by simulation in large, and sound corners."""

from __future__ import annotations

from functools import cache
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeval.measures.families import damage_p
from edgeval.measures.sequential import ALPHA, Region, Sequence, Total, fixed_verdict


def flips(rng: np.random.Generator, n: int, discordance: float, drop: float) -> tuple[np.ndarray, np.ndarray]:
    """Lost and gained of n images in random order."""
    u, losing = rng.random(n), (discordance + drop) / 2
    return u < losing, (u >= losing) & (u < discordance)


@pytest.mark.parametrize("batch", [1, 2, 6])
def test_capital_is_fair_at_the_true_total(batch: int) -> None:
    orders, ends = sorted(set(permutations([1, 1, 0, 0, 0, -1]))), []
    for order in orders:
        total = Total(6, 1e-6, low=-1)  # so strict that the truth is never dropped
        for start in range(0, 5, batch):
            total.add(np.array(order[start : min(start + batch, 5)]))
        truth = total.grid.tolist().index(1)
        ends.append([np.exp(total.up[:, truth]).sum(), np.exp(total.down[:, truth]).sum()])
    assert np.mean(ends, axis=0) == pytest.approx([1, 1], abs=1e-9)
    assert np.std(ends, axis=0).max() > 0.05  # and it is at stake


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_a_share_is_covered_at_every_look(share: float) -> None:
    rng, missed = np.random.default_rng(0), 0
    values = (np.arange(500) < 500 * share).astype(int)
    for _ in range(60):
        rng.shuffle(values)
        total, inside = Total(500, 0.2), True
        for start in range(0, 500, 50):
            total.add(values[start : start + 50])
            low, high = total.bounds()
            inside &= low <= values.sum() <= high
        missed += not inside
    assert missed / 60 <= 0.2


def test_the_bounds_narrow_as_images_come() -> None:
    values = np.random.default_rng(1).random(2000) < 0.05
    total, widths = Total(2000, 0.05), []
    for start in range(0, 2000, 400):
        total.add(values[start : start + 400])
        widths.append(np.subtract(*total.bounds()[::-1]))
    assert widths == sorted(widths, reverse=True)
    assert widths[0] < 250  # what has not been seen alone would leave 1600
    assert widths[-1] == 0


def test_more_draws_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="11 draws from a set of 10"):
        Total(10).add(np.zeros(11, dtype=int))


@pytest.mark.parametrize(
    ("n", "margin", "drop", "verdict"), [(4000, 0.02, 0.0, "PASS"), (4000, 0.02, 0.05, "FAIL"), (300, 0.02, 0.02, "")]
)
def test_it_stops_early_with_the_verdict_on_all_images(n: int, margin: float, drop: float, verdict: str) -> None:
    rng, agreed, used = np.random.default_rng(2), 0, []
    verdict_of = fixed_verdict(n, margin, 0.95)
    for _ in range(12):
        lost, gained = flips(rng, n, 0.06, drop)
        sequence, stopped = Sequence(n), None
        for start in range(0, n, 100):
            sequence.add(lost[start : start + 100], gained[start : start + 100])
            if stopped := sequence.certain(verdict_of):
                break
        used.append((start + 100) / n)
        agreed += stopped == verdict_of(int(lost.sum()), int(gained.sum()))
        assert not verdict or stopped == verdict
    assert agreed >= 11
    assert not verdict or np.mean(used) < 0.6


@pytest.mark.parametrize(("lost", "gained"), [(True, False), (False, True), (False, False)])
def test_one_image_and_images_all_alike(lost: bool, gained: bool) -> None:
    for n in (1, 3, 400):
        sequence = Sequence(n)
        sequence.add(np.full(n, lost), np.full(n, gained))
        assert sequence.region().corners() == [(n * lost, n * gained)] * 4
        assert sequence.certain(fixed_verdict(n, 0.1, 0.95)) == fixed_verdict(n, 0.1, 0.95)(n * lost, n * gained)


damage = cache(damage_p)
RULES = {
    "max_drop 5pt": fixed_verdict(30, 0.05, 0.95),
    "max_drop 20pt": fixed_verdict(30, 0.2, 0.8),
    "a named class": lambda lost, gained: "FAIL" if damage(lost, gained, 30, 0.05) <= 0.02 else "INCONCLUSIVE",
    "lost_rate": lambda lost, gained: "PASS" if lost < 3 else "FAIL" if lost > 9 else "INCONCLUSIVE",
}


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_corners_speak_for_the_whole_region(rule: str, data: st.DataObject) -> None:
    verdict_of = RULES[rule]
    lost, gained = data.draw(st.integers(0, 10)), data.draw(st.integers(0, 10))
    one, other = sorted((data.draw(st.integers(-30, 30)), data.draw(st.integers(-30, 30))))
    fewest = data.draw(st.integers(lost + gained, 30))
    region = Region((one, other), (fewest, data.draw(st.integers(fewest, 30))), lost, gained)
    pairs = [(a, b) for a in range(31) for b in range(31 - a) if (a, b) in region]
    corners = region.corners()
    assert set(corners) <= set(pairs)
    assert bool(corners) == bool(pairs)
    if len({verdict_of(*pair) for pair in corners}) == 1:
        assert len({verdict_of(*pair) for pair in pairs}) == 1


def test_a_limit_on_lost_alone() -> None:
    values = np.random.default_rng(3).random(3000) < 0.01
    total = Total(3000, ALPHA)
    for start in range(0, 1500, 100):
        total.add(values[start : start + 100])
    assert total.certain(lambda lost: "PASS" if lost <= 90 else "FAIL") == "PASS"
    assert total.certain(lambda lost: "PASS" if lost <= 30 else "FAIL") is None

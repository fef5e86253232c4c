"""The worst class against enumeration and simulation; named classes against their parts."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binom, multinomial

from edgeval.measures import families, paired


@pytest.mark.parametrize(
    ("lost", "gained"), [([5, 1, 3], [0, 2, 1]), ([0, 2], [4, 0]), ([1, 0, 2], [0, 0, 1]), ([3, 6], [0, 1])]
)
def test_the_worst_class_by_enumerating_every_coin(lost: list[int], gained: list[int]) -> None:
    tosses = np.add(lost, gained)
    observed = min(binom.sf(a - 1, d, 0.5) for a, d in zip(lost, tosses, strict=True))
    total = 0.0
    for heads in product(*(range(d + 1) for d in tosses)):
        least = min(binom.sf(a - 1, d, 0.5) for a, d in zip(heads, tosses, strict=True))
        total += float(np.prod(binom.pmf(heads, tosses, 0.5))) * (least <= observed * (1 + 1e-9))
    assert families.worst_class(lost, gained)[1] == pytest.approx(total)


def test_a_bent_coin_by_enumeration() -> None:
    lost, gained, share = [4, 1], [0, 2], 0.7
    tosses = np.add(lost, gained)
    observed = min(binom.sf(a - 1, d, share) for a, d in zip(lost, tosses, strict=True))
    total = 0.0
    for heads in product(*(range(d + 1) for d in tosses)):
        least = min(binom.sf(a - 1, d, share) for a, d in zip(heads, tosses, strict=True))
        total += float(np.prod(binom.pmf(heads, tosses, share))) * (least <= observed * (1 + 1e-9))
    assert families.worst_class(lost, gained, share)[1] == pytest.approx(total)
    assert families.worst_class([0, 200], [0, 0], families.others_share([0, 200], [0, 0]))[1] < 1e-20


@pytest.mark.parametrize(
    ("lost", "gained", "share"),
    [
        ([200, 45], [0, 5], 55 / 70 + (55 * 15 / 70**3) ** 0.5),
        ([200, 0], [0, 0], 0.5 + (0.25 / 20) ** 0.5),
        ([30, 0], [0, 400], 0.5),
    ],
)
def test_the_share_of_the_others_by_hand(lost: list[int], gained: list[int], share: float) -> None:
    """45 + 10 of 50 + 20 flips are losses; without other flips 10 of 20."""
    assert families.others_share(lost, gained) == pytest.approx(share)


@pytest.mark.parametrize("images", [20, 50])
def test_equal_levels_of_many_small_classes_are_told_to_be_equal(images: int) -> None:
    rng, found, runs = np.random.default_rng(7), 0, 300
    for _ in range(runs):
        lost, gained, _ = rng.multinomial(images, [0.03, 0.03, 0.94], 500).T
        found += families.worst_class(lost, gained, families.others_share(lost, gained))[1] <= 0.05
    assert found / runs <= 0.06


def test_where_every_class_lost_alike_none_is_beyond_chance() -> None:
    rng, plain, bent, runs = np.random.default_rng(4), 0, 0, 400
    for _ in range(runs):
        lost, gained, _ = rng.multinomial(100, [0.07, 0.03, 0.90], 100).T
        plain += families.worst_class(lost, gained)[1] <= 0.05
        bent += families.worst_class(lost, gained, families.others_share(lost, gained))[1] <= 0.05
    assert plain / runs > 0.5
    assert bent / runs <= 0.06


@pytest.mark.parametrize(("lost", "gained"), [([0], [0]), ([0, 0, 0], [0, 0, 0]), ([0, 0], [3, 9])])
def test_without_a_loss_the_worst_class_is_no_finding(lost: list[int], gained: list[int]) -> None:
    assert families.worst_class(lost, gained)[1] == 1.0


def test_the_worst_class_does_not_depend_on_the_order_of_classes() -> None:
    lost, gained = np.random.default_rng(0).binomial(100, 0.03, (2, 50))
    lost[7] += 15
    order = np.random.default_rng(1).permutation(50)
    index, p = families.worst_class(lost, gained)
    moved, again = families.worst_class(lost[order], gained[order])
    assert (index, order[moved]) == (7, 7)
    assert again == pytest.approx(p)


def test_family_wise_error_stays_at_its_level_where_a_plain_rule_cries_wolf() -> None:
    rng, found, holm, plain, runs = np.random.default_rng(0), 0, 0, 0, 1000
    for _ in range(runs):
        lost, gained, _ = rng.multinomial(100, [0.03, 0.03, 0.94], 100).T
        found += families.worst_class(lost, gained)[1] <= 0.05
        plain += ((lost - gained) >= 5).any()
        p = paired.tango_z(lost, gained, 100, -0.05).min()  # the smallest of 100, times 100, is what Holm asks first
        holm += p <= -paired.z_value(1 - 0.05 / 100)
    assert found / runs <= 0.05
    assert holm / runs <= 0.05
    assert plain / runs > 0.9


def test_real_damage_to_three_classes_is_found() -> None:
    rng, worst, named = np.random.default_rng(1), 0, 0
    for _ in range(40):
        lost, gained, _ = rng.multinomial(100, [0.03, 0.03, 0.94], 100).T
        lost[:3], gained[:3], _ = rng.multinomial(100, [0.23, 0.03, 0.74], 3).T
        index, p = families.worst_class(lost, gained)
        worst += index < 3 and p <= 0.05
        named += bool((families.named_classes(lost[:5], gained[:5], [100] * 5, margin=0.05).p[:3] <= 0.05).any())
    assert worst >= 38
    assert named >= 38


def test_named_classes_are_tangos_bounds_and_holms_p() -> None:
    found = families.named_classes([12, 3], [0, 3], [100, 50], margin=[0.05, 0.02], confidence=0.95)
    assert found.delta == pytest.approx([-0.12, 0])
    assert (found.low[0], found.high[0]) == pytest.approx(paired.tango(12, 0, 100, 0.9))
    p = [families.damage_p(12, 0, 100, 0.05), families.damage_p(3, 3, 50, 0.02)]
    assert found.p == pytest.approx(paired.holm(p))


@pytest.mark.parametrize(
    ("lost", "gained", "n", "margin"), [(12, 0, 100, 0.05), (9, 2, 40, 0.02), (30, 0, 30, 0.5), (5, 0, 9, 0)]
)
def test_the_p_of_damage_is_the_share_of_simulated_tables_as_bad(lost: int, gained: int, n: int, margin: float) -> None:
    rarer = float(paired.rarer_cell(*(np.array(float(x)) for x in (lost, gained, n, margin))))
    cells = [rarer + margin, rarer, 1 - 2 * rarer - margin]
    many_lost, many_gained, _ = np.random.default_rng(0).multinomial(n, cells, 100_000).T
    as_bad = (
        paired.tango_z(many_lost, many_gained, n, -margin) <= float(paired.tango_z(lost, gained, n, -margin)) + 1e-9
    )
    assert families.damage_p(lost, gained, n, margin) == pytest.approx(as_bad.mean(), abs=0.002)


@pytest.mark.parametrize(("n", "discordance"), [(100, 0.07), (500, 0.0501)])
def test_few_fail_at_the_margin_even_far_in_the_tail(n: int, discordance: float) -> None:
    cells = [(discordance + 0.05) / 2, (discordance - 0.05) / 2, 1 - discordance]
    lost, gained = (grid.ravel() for grid in np.meshgrid(np.arange(n // 4), np.arange(n // 8)))
    chance = multinomial.pmf(np.stack([lost, gained, n - lost - gained], axis=1), n, cells)
    z = paired.tango_z(lost, gained, n, -0.05)
    for level in (0.05, 0.0005):
        near = np.flatnonzero((z < 0.7 - paired.z_value(1 - level)) & (chance > level * 1e-5))
        p = np.array([families.damage_p(int(lost[i]), int(gained[i]), n, 0.05) for i in near])
        assert chance[near][p <= level].sum() <= level

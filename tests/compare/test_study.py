"""The analysis of a study against figures by hand and plain loops over sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from edgeval.compare.study.claims import claims
from edgeval.compare.study.errorsets import Seeds, pair_rows
from edgeval.compare.study.published import published_study
from edgeval.compare.study.sizes import size_rows
from edgeval.compare.study.where import flips_row
from edgeval.compare.study.whole import analyse
from edgeval.errors import DataError
from edgeval.measures import accuracy, calibration, powerlaw
from edgeval.records.answers import Answers, Entry, no_answers
from edgeval.records.laws import Law
from edgeval.records.predictions import Source
from edgeval.records.study import SizeRow

N, CLASSES = 400, 8
NAMES = tuple(f"class {k}" for k in range(CLASSES))
PAPER = published_study()
PARAMS = {"c4": 21_936, "c8": 80_348, "c12": 175_336}


def entry(rung: str, seed: int, fmt: str = "torch", protocol: str = "short") -> Entry:
    target = None if fmt == "torch" else "desktop"
    source = Source(
        name=rung, format=fmt, params=PARAMS[rung], target=target, origin="desktop", size_bytes=PARAMS[rung]
    )
    return Entry(ladder="scalecnn-cifar100", rung=rung, seed=seed, protocol=protocol, source=source, top5=0.9)


def study(seeds: int = 3, formats: tuple[str, ...] = ("torch", "tflite-int8"), protocol: str = "short") -> Answers:
    """Networks that get better with size; int8 differs from torch on about one answer in twenty."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, CLASSES, N)
    found, hard = no_answers("abc", labels, NAMES), rng.random(N)
    for (rung, level), seed in product(zip(PARAMS, (0.4, 0.6, 0.7), strict=True), range(seeds)):
        right = hard + rng.normal(0, 0.15, N) < level
        answers = np.where(right, labels, (labels + rng.integers(1, CLASSES, N)) % CLASSES)
        sure = rng.uniform(0.2, 1, N)
        for fmt in formats:
            moved = (rng.random(N) < 0.05) & (fmt != "torch")
            given = np.where(moved, (answers + 1) % CLASSES, answers)
            found = found.having(entry(rung, seed, fmt, protocol), given, sure)
    return found


def seeds_of(answers: Answers, rung: str, fmt: str = "torch") -> list[int]:
    return [k for k, m in enumerate(answers.models) if (m.rung, m.source.format) == (rung, fmt)]


def test_gini_and_bottom_5_are_of_class_accuracies_averaged_over_seeds() -> None:
    answers = study()
    rows = {(row.rung, row.format): row for row in size_rows(answers)}
    at = seeds_of(answers, "c4")
    by_class = [[answers.correct[k][answers.labels == c].mean() for c in range(CLASSES)] for k in at]
    averaged, row = np.mean(by_class, axis=0), rows["c4", "torch"]
    assert row.gini == pytest.approx(accuracy.gini(averaged))
    assert row.bottom5 == pytest.approx(np.sort(averaged)[:5].mean())
    assert row.gini_single is not None
    assert row.gini_single.mean == pytest.approx(np.mean([accuracy.gini(np.array(one)) for one in by_class]))
    tops = [answers.correct[k].mean() for k in at]
    assert (row.top1.mean, row.top1.sd, row.top1.n) == pytest.approx((np.mean(tops), np.std(tops), 3))
    sure = answers.confidences[at[0]].astype(float)
    assert row.ece.n == 3
    assert size_rows(answers.only(at[:1]))[0].ece.mean == pytest.approx(calibration.ece(sure, answers.correct[at[0]]))


def test_error_sets_over_all_seed_pairs_by_plain_sets() -> None:
    answers = study()
    rungs = [Seeds("net", rung, PARAMS[rung], seeds_of(answers, rung)) for rung in PARAMS]
    rows = {(row.one, row.other): row for row in pair_rows(answers, rungs)}
    wrong = [set(np.flatnonzero(~row)) for row in answers.correct]
    for small, large in combinations(rungs, 2):
        row = rows[small.name, large.name]
        pairs = [(wrong[i], wrong[j]) for i, j in product(small.at, large.at)]
        found = [len(a & b) / len(a | b) for a, b in pairs]
        assert (row.jaccard.mean, row.jaccard.sd) == pytest.approx((np.mean(found), np.std(found)))
        assert row.jaccard.n == 9
        assert row.kept == pytest.approx(np.mean([len(a & b) / len(b) for a, b in pairs]))
        assert row.lost.mean == pytest.approx(np.mean([len(a - b) / N for a, b in pairs]))
        assert row.gained.mean == pytest.approx(np.mean([len(b - a) / N for a, b in pairs]))
        most = [min(len(a), len(b)) / max(len(a), len(b)) for a, b in pairs]
        assert row.jaccard_max == pytest.approx(np.mean(most))
        assert row.jaccard.mean <= row.jaccard_max


def test_the_floor_of_training_again_takes_pairs_of_different_seeds_only() -> None:
    answers = study()
    (row,) = pair_rows(answers, [Seeds("net", "c4", 1, seeds_of(answers, "c4"))])
    assert (row.kind, row.jaccard.n) == ("re-training", 3)
    assert pair_rows(answers, [Seeds("net", "c4", 1, seeds_of(answers, "c4")[:1])]) == []


def test_two_ladders_are_set_side_by_side_by_size() -> None:
    answers = study()
    rungs = [Seeds("b", "c12", PARAMS["c12"], seeds_of(answers, "c12")), Seeds("a", "c4", 9, seeds_of(answers, "c4"))]
    (row,) = [row for row in pair_rows(answers, rungs) if row.kind == "across"]
    assert (row.one, row.other, row.jaccard.n) == ("a:c4", "b:c12", 9)
    turned = [row for row in pair_rows(answers, rungs[::-1]) if row.kind == "across"]
    assert turned == [row]


def test_flips_are_counted_by_class_and_by_how_sure_torch_was() -> None:
    labels = np.repeat([0, 1], 10)
    answers = no_answers("a", labels, ("x", "y"))
    sure = np.linspace(0.1, 0.9, 20)
    answers = answers.having(entry("c4", 0), labels, sure)
    changed = labels.copy()
    changed[[0, 1, 15]] = 1 - changed[[0, 1, 15]]
    answers = answers.having(entry("c4", 0, "tflite-int8"), changed, sure)
    row = flips_row(answers, [(0, 1)])
    assert (row.changed.mean, row.unsure) == (3, pytest.approx(2 / 3))
    assert row.confidence_changed == pytest.approx(sure[[0, 1, 15]].mean(), abs=1e-3)
    assert row.top_classes == ("x", "y")
    assert (row.top_share, row.top_share_chance) == (1, 1)


def test_flips_on_the_same_images_for_every_seed_are_not_taken_for_a_concentration_in_classes() -> None:
    rng, labels = np.random.default_rng(2), np.repeat(np.arange(50), 20)
    answers = no_answers("a", labels, tuple(map(str, range(50))))
    hit = rng.choice(len(labels), 60, replace=False)
    for seed in range(5):
        changed = labels.copy()
        changed[hit] = (labels[hit] + 1) % 50
        answers = answers.having(entry("c4", seed), labels, rng.random(1000))
        answers = answers.having(entry("c4", seed, "tflite-int8"), changed, rng.random(1000))
    row = flips_row(answers, [(2 * seed, 2 * seed + 1) for seed in range(5)])
    alone = flips_row(answers, [(0, 1)])
    assert row.top_share == alone.top_share
    assert row.top_share_chance == pytest.approx(alone.top_share_chance, abs=1e-9)
    assert row.top_share == pytest.approx(row.top_share_chance, abs=0.08)


def test_equal_confidences_still_make_two_halves_and_none_at_all_no_figure() -> None:
    labels = np.arange(8) % 2
    for sure, share in ((np.ones(8), 0.5), (np.zeros(8), None)):
        answers = no_answers("a", labels, ("x", "y")).having(entry("c4", 0), labels, sure)
        answers = answers.having(entry("c4", 0, "tflite-int8"), 1 - labels, sure)
        assert flips_row(answers, [(0, 1)]).unsure == share


def test_deployed_answers_of_a_network_that_was_trained_again_are_left_out() -> None:
    answers = study(seeds=1)
    k = seeds_of(answers, "c4")[0]
    newer = answers.having(entry("c4", 0, protocol="longer"), answers.classes[k], np.ones(N))
    found = analyse(newer, name="tiny-regime")
    assert {(row.rung, row.format) for row in found.flips} == {("c8", "tflite-int8"), ("c12", "tflite-int8")}
    assert any("1 deployed networks are left out" in note for note in found.notes)
    assert any("mix networks of different protocols" in note for note in found.notes)


def test_the_published_figures_give_the_published_laws() -> None:
    found = PAPER
    assert [law.alpha.value for law in found.laws] == pytest.approx([0.1560, 0.1058], abs=5e-5)
    standings = [claim.standing for claim in found.claims]
    assert standings == ["follows"] * 4 + ["as published"] * 4 + ["does not follow", "follows"]
    assert "AICc prefers the plain power law" in found.claims[8].text
    kept = {(pair.one.split(":")[1], pair.other.split(":")[1]): pair.kept for pair in found.pairs}
    assert kept["c4", "c64"] == pytest.approx(0.86, abs=0.01)  # PAPERS 1.5: shares of the large network's errors
    assert kept["c48", "c64"] == pytest.approx(0.72, abs=0.01)


def test_another_protocol_is_never_called_a_confirmation() -> None:
    found = analyse(study(), name="tiny-regime")
    assert {claim.standing for claim in found.claims} == {"different protocol", "not measured"}
    assert any("not the paper's" in note for note in found.notes)
    part = analyse(study(protocol="paper"), name="tiny-regime")
    assert "confirmed" not in {claim.standing for claim in part.claims}, "three of eight widths are not the ladder"


# What is wrong by how much, and the number of the claim that must not be called confirmed.
WRONG = [
    (1, "c4", "top1", -0.05),
    (3, "c64", "top1", -0.02),
    (4, "w3", "top1", 0.02),
    (6, "c4", "gini", -0.02),
    (7, "c64", "bottom5", -0.05),
    (8, "c4", "ece", 0.02),
    (8, "c48", "ece", 0.012),
]


def again(shift: Callable[[SizeRow, str], float]) -> dict[int, str]:
    """The standings where a study at the paper's protocol finds the paper's figures, shifted."""
    rows = [_shifted(row, shift) for row in PAPER.rows]
    return {
        claim.number: claim.standing for claim in claims(rows, [_law(one, rows) for one in PAPER.laws], PAPER.pairs)
    }


def _law(one: Law, rows: list[SizeRow]) -> Law:
    """The line refitted; which form fits best is left as it was."""
    mine = [row for row in rows if one.name.startswith(row.ladder)]
    sizes, errors = np.array([float(row.params) for row in mine]), np.array([1 - row.top1.mean for row in mine])
    line, steps = powerlaw.fit_power(sizes, errors), powerlaw.local_exponents(sizes, errors)
    local = [step.model_copy(update={"alpha": value}) for step, value in zip(one.local, steps, strict=True)]
    alpha = one.alpha.model_copy(update={"value": line.alpha})
    return one.model_copy(update={"alpha": alpha, "r2": line.r2, "local": tuple(local)})


def _shifted(row: SizeRow, shift: Callable[[SizeRow, str], float]) -> SizeRow:
    means = {name: getattr(row, name) for name in ("top1", "ece")}
    moved = {name: one.model_copy(update={"mean": one.mean + shift(row, name)}) for name, one in means.items()}
    plain = {name: getattr(row, name) + shift(row, name) for name in ("gini", "bottom5")}
    return row.model_copy(update=moved | plain)


def test_the_papers_figures_found_again_confirm_all_but_what_does_not_follow_from_them() -> None:
    found = again(lambda row, name: 0.0)
    assert {number for number, standing in found.items() if standing != "confirmed"} == {9}


@pytest.mark.parametrize(("number", "rung", "figure", "by"), WRONG)
def test_a_wrong_figure_at_the_papers_protocol_is_not_confirmed(number: int, rung: str, figure: str, by: float) -> None:
    found = again(lambda row, name: by if (row.rung, name) == (rung, figure) else 0.0)
    assert found[number] == "not confirmed"


def test_another_set_of_five_seeds_is_rarely_refused() -> None:
    """A fair band: what the seeds of two studies alone change is no reason to refuse a claim that is right."""
    rng, refused = np.random.default_rng(5), Counter[int]()

    def noise(row: SizeRow, name: str) -> float:
        return float(rng.normal(0, getattr(row, name).sd / 2**0.5)) if name in ("top1", "ece") else 0.0

    for _ in range(10):
        refused.update(number for number, standing in again(noise).items() if standing == "not confirmed")
    assert max(refused[number] for number in range(1, 9)) <= 1


def test_the_whole_has_laws_as_trained_and_as_deployed() -> None:
    found = analyse(study(), name="tiny-regime")
    assert [law.n_points for law in found.laws] == [3]
    (deployed,) = found.deployed
    assert deployed.alpha_change is not None
    assert [row.name for row in deployed.rows] == ["c4", "c8", "c12"]
    assert all(row.damage is not None and row.damage.lost > 0 for row in deployed.rows)
    assert len(found.flips) == 3
    assert len(found.classes) == CLASSES


def test_few_sizes_have_no_law_but_all_else() -> None:
    answers = study()
    two = analyse(answers.only([*seeds_of(answers, "c4"), *seeds_of(answers, "c8")]), name="tiny-regime")
    assert (two.laws, two.deployed) == ((), ())
    assert {pair.kind for pair in two.pairs} == {"re-training", "within"}
    with pytest.raises(DataError, match="no model"):
        analyse(answers.only([]), name="tiny-regime")


@pytest.mark.parametrize("formats", [("torch",), ("torch", "tflite-int8")])
def test_a_network_without_errors_takes_the_law_and_nothing_else(formats: tuple[str, ...]) -> None:
    answers = study(seeds=2, formats=formats)
    last = [k for k, model in enumerate(answers.models) if model.rung == "c12" and model.source.format == formats[-1]]
    classes = answers.classes.copy()
    classes[last] = answers.labels
    found = analyse(replace(answers, classes=classes), name="tiny-regime")
    assert [law.name for law in found.laws] == (["scalecnn-cifar100, as trained"] if len(formats) > 1 else [])
    assert found.deployed == ()
    assert any("c12 gives no wrong answer" in note for note in found.notes)
    assert len(found.rows) == 3 * len(formats)

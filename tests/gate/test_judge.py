"""Verdicts: what passes, fails and stays open, by hand; false PASS and FAIL at the margin by simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from edgeval.compare.pair import weigh
from edgeval.errors import InputError
from edgeval.gate.bounds import DRAWN
from edgeval.gate.judge import Look, judge
from edgeval.measures.families import worst_class
from edgeval.measures.paired import clopper_pearson, tango, tango_bound, z_value
from edgeval.records.evidence import Evidence
from edgeval.records.gate import KINDS, Rule
from edgeval.records.predictions import Latency, Source, from_outputs
from edgeval.records.verdict import RuleResult, Status, Verdict
from tests.gate.conftest import Made, side

Table = tuple[int, int, int]


def rule(metric: str, **limits: Any) -> Rule:
    return Rule.model_validate({"metric": metric, **limits})


def one(verdict: Verdict) -> RuleResult:
    (found,) = verdict.rules
    return found


@pytest.mark.parametrize(
    ("flips", "limits", "status"),
    [
        ((2000, 20, 20), {"max_drop": "2pt"}, "PASS"),
        ((2000, 120, 20), {"max_drop": "2pt"}, "FAIL"),
        ((200, 4, 2), {"max_drop": "2pt"}, "INCONCLUSIVE"),
        ((2000, 0, 0), {"max_drop": "2pt"}, "PASS"),
        ((1, 0, 0), {"max_drop": "2pt"}, "INCONCLUSIVE"),
        ((2000, 20, 20), {"max_drop": "2%"}, "PASS"),
        ((2000, 200, 0), {"min": "85pt"}, "PASS"),
        ((2000, 200, 0), {"min": "95pt"}, "FAIL"),
    ],
)
def test_top1(flipping: Made, flips: Table, limits: dict[str, str], status: Status) -> None:
    assert judge(flipping(*flips), [rule("top1", **limits)], Look()).status == status


def test_the_bound_is_one_sided_and_both_ends_are_told(flipping: Made) -> None:
    found = one(judge(flipping(1000, 30, 10), [rule("top1", max_drop="3pt", confidence=0.95)], Look()))
    low, high = tango(30, 10, 1000, 0.90)
    assert (found.bound, found.good, found.value) == pytest.approx((low, high, -0.02))
    assert (found.margin, found.confidence, found.limit) == (pytest.approx(0.03), 0.95, "max_drop")


@pytest.mark.parametrize(
    ("metric", "limits", "status"),
    [
        ("lost_rate", {"max": "2pt"}, "PASS"),
        ("lost_rate", {"max": "0.5pt"}, "FAIL"),
        ("jaccard", {"min": 0.6}, "PASS"),
        ("jaccard", {"min": 0.9}, "FAIL"),
        ("jaccard", {"max_drop": "40pt"}, "PASS"),
        ("ece", {"max_increase": 0.1}, "NO_VERDICT"),
        ("latency_p95_ms", {"max": "1ms"}, "NO_VERDICT"),
        ("arena_kb", {"max": "1kb"}, "NO_VERDICT"),
    ],
)
def test_other_metrics(flipping: Made, metric: str, limits: dict[str, Any], status: Status) -> None:
    found = judge(flipping(4000, 50, 50, both_wrong=300), [rule(metric, **limits)], Look())
    assert found.status == status, found.reasons


def test_latency_of_a_board_that_was_slowed_down_decides_nothing(flipping: Made) -> None:
    timed = {"p50": 1.0, "p95": 2.0, "n": 50, "threads": 1}
    rules = [rule("latency_p95_ms", max="5ms"), rule("top1", max_drop="5pt")]
    cool = flipping(4000, 0, 0, latency=Latency(**timed), host={"monitor": {"looks": 3}})
    assert judge(cool, rules, Look()).status == "PASS"
    hot = flipping(4000, 0, 0, latency=Latency(**timed), host={"monitor": {"failed": ["throttled: throttled"]}})
    found = judge(hot, rules, Look())
    assert [result.status for result in found.rules] == ["NO_VERDICT", "PASS"]
    assert "fail_on rules out: throttled" in found.reasons[0]


def test_sizes_are_judged_as_measured(flipping: Made) -> None:
    small = flipping(10, 0, 0, size_bytes=400_000)
    assert [judge(small, [rule("artifact_kb", max=size)], Look()).status for size in ("400kb", "0.3mb")] == [
        "PASS",
        "FAIL",
    ]
    assert judge(small, [rule("artifact_kb", max_increase="10%")], Look()).status == "PASS"


def test_precedence_and_reasons(flipping: Made) -> None:
    rules = [rule("top1", max_drop="2pt"), rule("top1", max_drop="50pt"), rule("lost_rate", max="0.1pt")]
    verdict = judge(flipping(2000, 60, 20), rules, Look())
    assert [found.status for found in verdict.rules] == ["INCONCLUSIVE", "PASS", "FAIL"]
    assert (verdict.status, verdict.exit_code) == ("FAIL", 1)
    assert verdict.reasons == ("lost_rate: max 0.1pt: the whole interval lies outside the limit",)
    closed = judge(flipping(2000, 60, 20), rules, Look(), ["the runtime is unknown"])
    assert (closed.status, closed.exit_code, closed.reasons[0]) == ("NO_VERDICT", 5, "the runtime is unknown")


def test_more_images_would_decide(flipping: Made) -> None:
    found = one(judge(flipping(200, 5, 5), [rule("top1", max_drop="2pt")], Look()))
    assert found.status == "INCONCLUSIVE"
    assert found.more_images is not None
    scale = (200 + found.more_images) / 200
    again = judge(
        flipping(200 + found.more_images, round(5 * scale), round(5 * scale)), [rule("top1", max_drop="2pt")], Look()
    )
    assert again.status == "PASS"
    on_it = one(judge(flipping(200, 14, 10), [rule("top1", max_drop="2pt")], Look()))
    assert on_it.more_images is None
    assert "hardly" in on_it.why


def test_more_images_are_counted_among_all_of_them(flipping: Made) -> None:
    """What one class or the union of errors needs is told in images of all kinds, as they come."""
    evidence = flipping(1000, 40, 0, classes=5, both_wrong=60)
    for asked, size, step in (
        (rule("class_accuracy", classes=("k0",), max_drop="6pt"), 200, 5),
        (rule("jaccard", min=0.55), 100, 10),
    ):
        found = one(judge(evidence, [asked], Look()))
        assert found.more_images is not None
        assert found.more_images % step == 0
        part = found.more_images // step
        again = judge(grown(evidence, asked, size + part), [asked], Look())
        before = judge(grown(evidence, asked, size + part // 2), [asked], Look())
        assert (before.status, again.status) == ("INCONCLUSIVE", "PASS")


def grown(evidence: Evidence, asked: Rule, size: int) -> Evidence:
    """The samples that a rule counts, with the same shares, so that there are `size` of them."""
    before, now = evidence.right_reference, evidence.right_candidate
    mine = evidence.labels == 0 if asked.classes else ~(before & now)
    rows = np.flatnonzero(mine)[np.arange(size) * int(mine.sum()) // size]
    labels = np.zeros(size, dtype=np.int64)
    return weigh(side(before[rows], labels, 2), side(now[rows], labels, 2))


def test_jaccard_is_judged_by_the_exact_interval_and_says_so(flipping: Made) -> None:
    found = one(judge(flipping(1000, 40, 0, both_wrong=60), [rule("jaccard", max_drop=0.3)], Look()))
    ends = clopper_pearson(60, 100, 0.9)
    assert ends is not None
    assert found.bound == pytest.approx(ends[0] - 1)
    assert found.method.startswith("exact")


def test_every_measure_that_a_rule_may_name_is_judged() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(3000) % 10
    logits = rng.normal(size=(3000, 10)).astype(np.float32)
    logits[np.arange(3000), labels] += 3
    source, names = Source(name="m", format="npz"), tuple(f"k{i}" for i in range(10))
    table = from_outputs(logits, labels, kind="logits", class_names=names, ids=None, source=source)
    evidence = weigh(table, table)
    for metric in DRAWN:
        for limit in KINDS[metric].limits:
            far = {"max_drop": "90pt", "min": "0pt", "max_increase": 0.9, "max": 0.99}[limit]
            assert judge(evidence, [rule(metric, **{limit: far})], Look()).status == "PASS", (metric, limit)


@pytest.mark.parametrize(("n", "lost", "decided"), [(20, 0, False), (20, 19, False), (40, 0, True), (40, 38, True)])
def test_an_approximate_interval_decides_nothing(flipping: Made, n: int, lost: int, decided: bool) -> None:
    """Fewer than 30 samples a class: neither PASS nor FAIL, and no number of images is promised."""
    found = one(judge(flipping(10 * n, 10 * lost, 0, classes=10), [rule("bottom5", max_drop="60pt")], Look()))
    assert found.status == (("FAIL" if lost else "PASS") if decided else "INCONCLUSIVE")
    assert ("approximate and may not decide" in found.why) == (not decided)
    assert found.more_images is None


def test_one_thin_class_makes_class_figures_approximate() -> None:
    labels = np.concatenate([np.repeat(np.arange(9), 100), np.full(5, 9)])
    table = side(np.ones(905, bool), labels, 10)
    found = one(judge(weigh(table, table), [rule("bottom5", max_drop="60pt")], Look()))
    assert (found.status, "a class of 5 samples" in found.why) == ("INCONCLUSIVE", True)


def test_a_rule_on_every_class_fails_only_where_the_worst_is_clearly_outside() -> None:
    """8 of 100 lost: clearly a change, and more than 5 points as observed, but its interval holds 5 points."""
    labels = np.repeat(np.arange(2), 100)
    now = np.ones(200, bool)
    now[:8] = False
    evidence = weigh(side(np.ones(200, bool), labels, 2), side(now, labels, 2))
    assert worst_class([8, 0], [0, 0])[1] < 0.05
    found = one(judge(evidence, [rule("class_accuracy", max_drop="5pt")], Look()))
    assert [part.status for part in found.classes] == ["INCONCLUSIVE", "PASS"]
    assert found.status == "INCONCLUSIVE"


def test_a_second_look_is_judged_more_strictly(flipping: Made) -> None:
    evidence = flipping(773, 19, 19)
    strict = one(judge(evidence, [rule("top1", max_drop="2pt")], Look(2, 0.5)))
    assert strict.confidence == pytest.approx(0.975)
    assert strict.bound == pytest.approx(tango(19, 19, 773, 0.95)[0])


def test_every_named_class_must_pass(flipping: Made) -> None:
    evidence = flipping(4000, 300, 0, classes=4)
    both = rule("class_accuracy", classes=("k0", "k1"), max_drop="12pt")
    assert judge(evidence, [both], Look()).status == "PASS"
    found = one(judge(evidence, [rule("class_accuracy", classes=("k0", "k1"), max_drop="5pt")], Look()))
    assert ([part.status for part in found.classes], found.status) == (["FAIL", "FAIL"], "FAIL")


def test_a_class_rule_fails_on_real_damage_and_names_the_class() -> None:
    labels = np.arange(4000) % 4
    now = np.ones(4000, bool)
    now[np.flatnonzero(labels == 2)[:200]] = False
    evidence = weigh(side(np.ones(4000, bool), labels, 4), side(now, labels, 4))
    for named in ({"classes": ("k1", "k2")}, {}):
        found = one(judge(evidence, [rule("class_accuracy", max_drop="5pt", **named)], Look()))
        assert found.status == "FAIL"
        assert found.why.startswith("k2:")
    least = one(judge(evidence, [rule("class_accuracy", classes=("k2",), min="90pt")], Look()))
    ends = clopper_pearson(800, 1000, 0.9)
    assert ends is not None
    assert (least.status, least.bound) == ("FAIL", pytest.approx(ends[0]))


def test_an_unknown_class_is_an_error_and_an_empty_one_decides_nothing(flipping: Made) -> None:
    with pytest.raises(InputError, match="did you mean k1"):
        judge(flipping(10, 0, 0), [rule("class_accuracy", classes=("K1",), max_drop="5pt")], Look())
    labels = np.zeros(500, dtype=np.int64)
    table = side(np.ones(500, bool), labels, 2)
    found = judge(weigh(table, table), [rule("class_accuracy", classes=("k1",), max_drop="5pt")], Look())
    assert found.status == "INCONCLUSIVE"


@pytest.mark.parametrize(("n", "discordance"), [(773, 0.05), (300, 0.12)])
def test_a_model_at_the_margin_passes_in_at_most_five_percent(n: int, discordance: float) -> None:
    rng, margin = np.random.default_rng(3), 0.02
    up, down = (discordance - margin) / 2, (discordance + margin) / 2
    drawn = rng.multinomial(n, [down, up, 1 - discordance], size=4000)
    passed = np.mean(tango_bound(drawn[:, 0], drawn[:, 1], n, z_value(0.95)) >= -margin)
    assert passed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(drawn))


@pytest.mark.parametrize("limit", [0.01, 0.02, 0.05])
def test_a_share_at_its_limit_passes_in_at_most_five_percent(limit: float) -> None:
    for n in (200, 500, 1000, 3000):
        lost = np.arange(round(3 * limit * n) + 3)
        bounds = [clopper_pearson(int(k), n, 0.9) for k in lost]
        passing = lost[[ends is not None and ends[1] <= limit for ends in bounds]]
        assert binom.cdf(passing[-1] if len(passing) else -1, n, limit) <= 0.05


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ({"origin": "emulated", "instructions": 2_000_000}, "PASS", ""),
        ({"origin": "emulated", "instructions": 2_000_001}, "FAIL", ""),
        ({"origin": "desktop"}, "NO_VERDICT", "instructions are counted on emulated boards"),
    ],
)
def test_instructions_are_judged_as_counted(flipping: Made, source: dict[str, Any], status: Status, said: str) -> None:
    result = one(
        judge(
            flipping(100, 0, 0, fidelity="bit-exact", runtime={"version": "2.3.0"}, **source),
            [rule("instructions", max=2e6)],
            Look(),
        )
    )
    assert result.status == status
    assert said in str(result)

"""The smallest rung that keeps a measure within a margin of the reference, by the gate's own rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from pydantic import ValidationError

from edgeval.compare.deployed import Answered
from edgeval.compare.pair import Context, weigh
from edgeval.errors import InputError
from edgeval.gate.judge import Look, judge, worst
from edgeval.gate.trust import distrust
from edgeval.records.cards import explain
from edgeval.records.deployed import Asked, Kept
from edgeval.records.gate import KINDS, Rule
from edgeval.records.verdict import RuleResult
from edgeval.records.wanted import nearest
from edgeval.store import Store

METRICS = ("top1", "top5", "bottom5", "bottom10", "bottom20", "ece", "ece_equal_mass", "gini", "nll", "brier")
DEFAULT = "bottom5=5pt"
EXAMPLE = f"write {DEFAULT}"

Judged = Callable[[str, int], tuple[RuleResult, ...]]


def margin_rule(typed: str) -> Rule:
    """`bottom5=5pt` as a rule of the gate. Raises InputError."""
    metric, _, size = (part.strip() for part in typed.partition("="))
    if metric not in METRICS or not size:
        hint = f"{nearest(metric, METRICS)}{EXAMPLE}; known: {', '.join(METRICS)}"
        raise InputError("--keep takes a measure and a margin", seen=typed, hint=hint)
    limit = "max_drop" if "max_drop" in KINDS[metric].limits else "max_increase"
    try:
        return Rule.model_validate({"metric": metric, limit: size})
    except ValidationError as error:
        raise InputError(f"--keep {typed}: {explain(Rule, error)}", hint=EXAMPLE) from error


def keep(
    rules: Sequence[Rule], ran: Sequence[Answered], reference: Sequence[Answered], store: Store
) -> tuple[Kept, ...]:
    """For each rule the smallest rung of one format on one target that holds it on every seed.

    Rungs are asked from the largest down, and the walk ends at the first that does not hold: in this order the chance
    of an answer that is truly outside the margin is at most 1 - confidence, however many rungs there are.
    """
    full = {one.seed: one for one in reference}
    rungs: dict[str, list[Answered]] = {}
    for one in sorted(ran, key=lambda one: (-one.params, one.seed)):
        if one.seed in full:
            rungs.setdefault(one.rung, []).append(one)
    files = {(one.rung, one.seed): one for one in ran}

    @cache
    def judged(rung: str, seed: int) -> tuple[RuleResult, ...]:
        tables = (store.read_table(full[seed].path), store.read_table(files[rung, seed].path))
        evidence = weigh(*tables, Context())
        verdict = judge(evidence, rules, Look(), against := distrust(evidence.comparison))
        blocked = {"status": "NO_VERDICT", "why": "; ".join(against)}
        return tuple(result.model_copy(update=blocked if against else {}) for result in verdict.rules)

    return tuple(_walk(rule, index, rungs, judged) for index, rule in enumerate(rules))


def _walk(rule: Rule, index: int, rungs: Mapping[str, Sequence[Answered]], judged: Judged) -> Kept:
    """Down the ladder until a rung does not hold."""
    asked: list[Asked] = []
    method = margin = None
    for name, group in rungs.items():
        results = {one.seed: judged(name, one.seed)[index] for one in group}
        asked.append(_asked(name, results))
        method, margin = (results[asked[-1].seed].method, results[asked[-1].seed].margin)
        if asked[-1].status != "PASS":
            break
    held = [one.rung for one in asked if one.status == "PASS"]
    how = f"non-inferiority, one-sided at {rule.confidence:g}, from the largest rung down"
    return Kept(
        metric=rule.metric,
        margin=margin if margin is not None else rule.amount.number,
        confidence=rule.confidence,
        rung=held[-1] if held else None,
        asked=tuple(asked),
        method=f"{how}; {method or 'not computed'}",
    )


def _asked(name: str, results: Mapping[int, RuleResult]) -> Asked:
    """A rung holds where every seed does; the seed that decides is the worst of those with the rung's status."""
    status = worst([result.status for result in results.values()])
    mine = {seed: result for seed, result in results.items() if result.status == status}
    seed = max(mine, key=lambda seed: _badness(mine[seed]))
    one = mine[seed]
    return Asked(
        rung=name,
        status=status,
        seeds=tuple(results),
        seed=seed,
        value=one.value,
        bound=one.bound,
        good=one.good,
        more_images=one.more_images,
        why=one.why,
    )


def _badness(result: RuleResult) -> float:
    """How far out the bad end of the interval lies."""
    if result.bound is None:
        return float("inf")
    return -result.bound if result.limit == "max_drop" else result.bound

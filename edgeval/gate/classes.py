"""Rules on single classes: each must pass by itself, and what fails is corrected for how many were asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import InputError
from edgeval.gate.bounds import Figure, class_figure
from edgeval.gate.decide import PRECEDENCE, decide, result
from edgeval.measures.families import named_classes, others_share, worst_class
from edgeval.measures.paired import below_p, holm
from edgeval.records.evidence import Evidence
from edgeval.records.gate import Rule
from edgeval.records.verdict import ClassResult, RuleResult, Status
from edgeval.records.wanted import nearest

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Chosen:
    """The classes that a rule is about: position, figure and limit of each, and how many samples flipped."""

    indices: list[int]
    figures: list[Figure]
    margins: list[float | None]
    lost: Ints
    gained: Ints
    counts: Ints

    @property
    def known(self) -> list[int]:
        """Those with samples and a limit."""
        return [k for k, margin in enumerate(self.margins) if margin is not None and self.counts[k]]


def judged_classes(rule: Rule, evidence: Evidence, confidence: float) -> RuleResult:
    """PASS asks every class at the rule's own confidence (intersection-union test); FAIL asks a corrected test.

    Named classes fail by Holm over one-sided score tests at the limit. Without names the rule is about every class:
    then only the worst can fail: where its whole interval lies outside the limit, and its loss is also more than a
    sign-flip null gives to the worst of all, in which every class loses as the others do.
    """
    chosen, names = _choose(rule, evidence, confidence), evidence.comparison.class_names
    if not chosen.indices:
        return result(rule, Figure(None), None, confidence, status="NO_VERDICT", why="no class has a sample")
    alone = [decide(rule, figure, margin)[0] for figure, margin in zip(chosen.figures, chosen.margins, strict=True)]
    damaged = _damaged(rule, chosen, alone, confidence)
    each = [_status(one, bad) for one, bad in zip(alone, damaged, strict=True)]
    status = next(s for s in PRECEDENCE if s in each)
    k = min(range(len(each)), key=lambda i: (PRECEDENCE.index(each[i]), _badness(chosen.figures[i])))
    counts = ", ".join(f"{each.count(s)} {s}" for s in PRECEDENCE if s in each)
    many = f" ({counts})" if len(each) > 1 else ""
    why = f"{names[chosen.indices[k]]}: {_why(rule, each[k], chosen.figures[k])}{many}"
    found = result(rule, chosen.figures[k], chosen.margins[k], confidence, status=status, why=why)
    parts = tuple(
        ClassResult(name=names[i], n=figure.n, value=figure.value, bound=figure.lo, status=one)
        for i, figure, one in zip(chosen.indices, chosen.figures, each, strict=True)
    )
    return found.model_copy(update={"classes": parts})


def _choose(rule: Rule, evidence: Evidence, confidence: float) -> Chosen:
    """The named classes, or every class with a sample."""
    names, labels = evidence.comparison.class_names, evidence.labels
    indices = [position(name, names) for name in rule.classes] or np.unique(labels).tolist()
    figures = [class_figure(evidence, i, confidence, change=rule.limit == "max_drop") for i in indices]
    before, now = evidence.right_reference, evidence.right_candidate
    count = [np.bincount(labels[these], minlength=len(names))[indices] for these in (before & ~now, ~before & now)]
    margins = [rule.margin(figure.reference) for figure in figures]
    return Chosen(indices, figures, margins, count[0], count[1], np.bincount(labels, minlength=len(names))[indices])


def _damaged(rule: Rule, chosen: Chosen, alone: Sequence[Status], confidence: float) -> list[bool]:
    """Which classes fail; `alone` is what each one's own interval says."""
    known, damaged, level = chosen.known, [False] * len(chosen.indices), 1 - confidence
    if not known:
        return damaged
    margins = np.array([chosen.margins[k] for k in known], dtype=float)
    lost, gained, counts = chosen.lost[known], chosen.gained[known], chosen.counts[known]
    if not rule.classes and rule.limit == "max_drop":
        at, p_worst = worst_class(lost, gained, others_share(lost, gained))
        damaged[known[at]] = p_worst <= level and alone[known[at]] == "FAIL"
        return damaged
    if rule.limit == "max_drop":
        single = named_classes(lost, gained, counts, margin=margins, confidence=confidence).p_alone
    else:
        values = [chosen.figures[k].value or 0.0 for k in known]
        single = below_p(np.rint(np.array(values) * counts), counts, margins)
    for k, p in zip(known, (holm(single) if rule.correction == "holm" else single).tolist(), strict=True):
        damaged[k] = p <= level
    return damaged


def _status(alone: Status, damaged: bool) -> Status:
    """A class passes by its own interval and fails only by the corrected test; without a sample it decides nothing."""
    return "FAIL" if damaged else "PASS" if alone == "PASS" else "INCONCLUSIVE"


def _why(rule: Rule, status: Status, figure: Figure) -> str:
    """Why one class stands as it does."""
    if figure.value is None:
        return figure.missing
    if status == "FAIL":
        named = rule.classes or rule.limit == "min"
        how = "Holm over the classes asked" if named else "sign-flip null over all classes"
        return f"beyond the limit and beyond chance ({how})"
    return "inside the limit" if status == "PASS" else "the limit lies inside the interval"


def _badness(figure: Figure) -> float:
    """Smaller is worse; a class without a sample is worst of all."""
    return float("-inf") if figure.lo is None else figure.lo


def position(name: str, names: Sequence[str]) -> int:
    """Position of a class. Raises InputError with the nearest name."""
    if name not in names:
        hint = f"{nearest(name, names)}the data has {len(names)} classes"
        raise InputError("a rule names a class that the data does not have", seen=name, hint=hint)
    return list(names).index(name)

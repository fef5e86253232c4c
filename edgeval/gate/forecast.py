"""Sequential mode: the verdict that the fixed gate would give on all images, as soon as it is certain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import InputError
from edgeval.gate.classes import position
from edgeval.measures import sequential
from edgeval.measures.families import damage_p, named_classes
from edgeval.measures.paired import clopper_pearson, tango_p
from edgeval.records.gate import Rule
from edgeval.records.verdict import Status

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
ALPHA = sequential.ALPHA


@dataclass(frozen=True)
class Whole:
    """What is known of all N samples, in the order in which they run: labels, and whether the reference is right."""

    labels: Ints
    right: Bools
    class_names: tuple[str, ...]


def check_rules(rules: Sequence[Rule]) -> None:
    """Raise InputError for a rule that has no sequential form."""
    for rule in rules:
        named = rule.metric == "class_accuracy" and rule.classes
        if rule.metric not in ("top1", "lost_rate") and not named:
            hint = "it works for top1, lost_rate and class_accuracy with named classes: leave --sequential away"
            raise InputError("a rule has no sequential form", seen=rule.text, hint=hint)
        if rule.limit == "min":
            raise InputError("a rule has no sequential form", seen=rule.text, hint="use max_drop, or the fixed gate")


class Forecast:
    """All rules over the samples as they come.

    The chance that any forecast differs from the fixed gate's verdict on all N is at most `ALPHA`, which is divided
    among all rules and classes; once all N are seen both are the same.
    """

    def __init__(self, rules: Sequence[Rule], whole: Whole, spends: float = 1.0) -> None:
        check_rules(rules)
        parts = sum(max(1, len(rule.classes)) for rule in rules)
        self.whole, self.seen = whole, 0
        self.tracks = [_Track(rule, whole, ALPHA / parts, spends) for rule in rules]

    def add(self, right: Bools) -> None:
        """Whether the candidate is right on the next samples."""
        place = slice(self.seen, self.seen + len(right))
        before, labels = self.whole.right[place], self.whole.labels[place]
        for track in self.tracks:
            track.add(before & ~right, ~before & right, labels)
        self.seen += len(right)

    def statuses(self) -> list[Status | None]:
        """What each rule is certain to come out as; None where that is open."""
        return [track.status() for track in self.tracks]

    def status(self) -> Status | None:
        """The verdict, once it is certain: one FAIL settles it, PASS needs every rule."""
        found = self.statuses()
        if "FAIL" in found:
            return "FAIL"
        if None in found:
            return None
        return "INCONCLUSIVE" if "INCONCLUSIVE" in found else "PASS"

    @property
    def confidences(self) -> list[float]:
        """What each rule is judged at."""
        return [track.confidence for track in self.tracks]


class _Track:
    """One rule: a confidence set for the counts of all samples, or of each named class."""

    def __init__(self, rule: Rule, whole: Whole, alpha: float, spends: float) -> None:
        self.rule = rule
        self.confidence = 1 - (1 - rule.confidence) * spends
        self.classes = [position(name, whole.class_names) for name in rule.classes]
        groups = [whole.labels == i for i in self.classes] or [np.ones(len(whole.labels), bool)]
        self.sizes = [int(group.sum()) for group in groups]
        self.shares = [float(whole.right[group].mean()) if group.any() else 0.0 for group in groups]
        self.sequences = [sequential.Sequence(size, alpha) for size in self.sizes]

    def add(self, lost: Bools, gained: Bools, labels: Ints) -> None:
        if not self.classes:
            self.sequences[0].add(lost, gained)
        for index, sequence in zip(self.classes, self.sequences, strict=False):
            mine = labels == index
            sequence.add(lost[mine], gained[mine])

    def status(self) -> Status | None:
        each = [
            sequence.certain(self._verdict(size, share))
            for sequence, size, share in zip(self.sequences, self.sizes, self.shares, strict=True)
        ]
        if "FAIL" in each:
            return "FAIL"
        if all(one == "PASS" for one in each):
            return "PASS"
        finished = all(sequence.net.seen == size for sequence, size in zip(self.sequences, self.sizes, strict=True))
        if finished:
            return self._at_the_end()
        return "INCONCLUSIVE" if len(each) == 1 and each[0] == "INCONCLUSIVE" else None

    def _verdict(self, size: int, share: float) -> Callable[[int, int], str]:
        """The fixed verdict on one group as a function of its counts; FAIL of several classes by Bonferroni, which
        Holm never takes back."""
        margin = self.rule.margin(share) or 0.0
        if self.rule.metric == "lost_rate":
            return _lost_verdict(size, margin, self.confidence)
        level = (1 - self.confidence) / (len(self.sizes) if self.rule.correction == "holm" else 1)
        named = bool(self.rule.classes)

        def verdict(lost: int, gained: int) -> str:
            if not size:
                return "INCONCLUSIVE"
            if tango_p(lost, gained, size, -margin, "greater") <= 1 - self.confidence:
                return "PASS"
            p = float(damage_p(lost, gained, size, margin)) if named else tango_p(lost, gained, size, -margin, "less")
            return "FAIL" if p <= level else "INCONCLUSIVE"

        return verdict

    def _at_the_end(self) -> Status:
        """Everything is seen and not every class passes: Holm decides between FAIL and INCONCLUSIVE."""
        if not self.rule.classes:
            return "INCONCLUSIVE"
        known = [k for k, size in enumerate(self.sizes) if size]
        lost, gained = ([getattr(self.sequences[k], name) for k in known] for name in ("lost", "gained"))
        margins = [self.rule.margin(self.shares[k]) or 0.0 for k in known]
        found = named_classes(lost, gained, [self.sizes[k] for k in known], margin=margins, confidence=self.confidence)
        p = found.p if self.rule.correction == "holm" else found.p_alone
        return "FAIL" if (p <= 1 - self.confidence).any() else "INCONCLUSIVE"


def _lost_verdict(size: int, limit: float, confidence: float) -> Callable[[int, int], str]:
    """The fixed verdict of `lost_rate max`, by the exact interval; it depends on the lost ones alone."""

    def verdict(lost: int, gained: int) -> str:
        ends = clopper_pearson(lost, size, 2 * confidence - 1)
        assert ends is not None
        return "PASS" if ends[1] <= limit else "FAIL" if ends[0] > limit else "INCONCLUSIVE"

    return verdict

"""How many images a rule needs: before a run, and after one that did not decide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgeval.measures.paired import (
    clopper_pearson,
    images_needed,
    images_needed_share,
    pass_chance,
    pass_chance_share,
    tango,
)
from edgeval.records.gate import HIGH, Rule

if TYPE_CHECKING:
    from edgeval.gate.bounds import Figure

HOPELESS = 10_000_000
PAIRED = ("top1", "class_accuracy", "within_tolerance")


def more_images(rule: Rule, found: Figure, margin: float, confidence: float) -> int | None:
    """About how many more images decide an inconclusive rule, if the figures stay as they are.

    Images of all kinds: where only a share of them counts (one class, the union of errors), the more of them. The
    smallest n at which an interval about the same value, computed as the gate will compute it, has its bad end
    inside or its good end outside the limit. None where that is beyond ten million or the value lies on the limit.
    """
    if found.value is None or found.lo is None or found.hi is None or not found.n:
        return None
    limit = -margin if rule.limit == "max_drop" else margin
    low, high = found.n, HOPELESS
    if not _decides(rule, found, limit, high, confidence):
        return None
    while low < high:
        middle = (low + high) // 2
        if _decides(rule, found, limit, middle, confidence):
            high = middle
        else:
            low = middle + 1
    return max(1, math.ceil((low - found.n) / found.share))


def _decides(rule: Rule, found: Figure, limit: float, n: int, confidence: float) -> bool:
    """Whether n images with the same shares would leave the limit outside the interval."""
    lo, hi = _ends(rule, found, n, confidence)
    return lo >= limit or hi < limit if rule.limit in HIGH else hi <= limit or lo > limit


def _ends(rule: Rule, found: Figure, n: int, confidence: float) -> tuple[float, float]:
    """The interval that n images with the same shares would give."""
    assert found.value is not None
    assert found.lo is not None
    assert found.hi is not None
    level = 2 * confidence - 1
    if found.discordance is not None:
        gained = n * (found.discordance + found.value) / 2
        lost = n * (found.discordance - found.value) / 2
        return tango(round(lost), round(gained), n, level)
    if found.method.startswith("exact"):
        base = 1.0 if rule.metric == "jaccard" and rule.limit == "max_drop" else 0.0
        ends = clopper_pearson(round((found.value + base) * n), n, level)
        assert ends is not None
        return ends[0] - base, ends[1] - base
    shrink = math.sqrt(found.n / n)
    return found.value - (found.value - found.lo) * shrink, found.value + (found.hi - found.value) * shrink


def foretell(rule: Rule, n: int, discordance: float, confidence: float) -> float | None:
    """The chance that an unchanged model passes a rule on a paired share with n images; None for other rules.

    discordance: the share of answers that flip, half of them each way.
    """
    margin = rule.margin(None)
    if margin is None or n <= 0:
        return None
    if rule.metric == "lost_rate":
        return pass_chance_share(n, margin, discordance / 2, confidence=confidence)
    if rule.metric not in PAIRED or rule.limit != "max_drop":
        return None
    return pass_chance(n, margin, discordance, confidence=confidence)


def foretell_all(rule: Rule, sizes: Sequence[int], discordance: float, confidence: float) -> float | None:
    """The chance that an unchanged model passes in groups of these sizes at once: classes, each of which must pass."""
    chances = {n: foretell(rule, n, discordance, confidence) for n in set(sizes) if n}
    known = [chances.get(n, 0.0) for n in sizes]
    return math.prod(c for c in known if c is not None) if known and None not in known else None


def needed(rule: Rule, discordance: float, *, confidence: float, power: float) -> int | None:
    """Images with which an unchanged model passes with this power; None where no number does or it cannot be told."""
    margin = rule.margin(None)
    if not margin:
        return None
    if rule.metric == "lost_rate":
        lost = discordance / 2
        return images_needed_share(margin, lost, confidence=confidence, power=power) if lost < margin else None
    if rule.metric not in PAIRED or rule.limit != "max_drop":
        return None
    return images_needed(margin, discordance, confidence=confidence, power=power)

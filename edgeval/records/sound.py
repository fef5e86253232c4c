"""Whether a comparison that was read from a file can be true: numbers within their range, counts that add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgeval.measures.overlap import FlipCounts, jaccard, jaccard_max
from edgeval.measures.paired import mcnemar_exact
from edgeval.records.findings import Comparison
from edgeval.records.verdict import Verdict

MOST_DEPTH = 40
MOST_ITEMS = 2_000_000
MOST_TEXT = 200_000
LARGEST = 1e15
LISTS = {"stages": 16, "flipped": 20_000, "confusions": 20_000, "notes": 10_000, "per_class": 100_000}
SMALL = 1e-6
WORST_FIRST = ("NO_VERDICT", "FAIL", "INCONCLUSIVE", "PASS")
EXIT = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3, "NO_VERDICT": 5}
SHARES = ("top1", "top5", "bottom5", "bottom10", "bottom20")


def oversized(body: Any) -> str:
    """The first thing in a JSON body that is deeper, longer or larger than any comparison; empty if there is none."""
    stack, items = [(body, 0)], 0
    while stack:
        item, depth = stack.pop()
        items += 1
        if depth > MOST_DEPTH or items > MOST_ITEMS:
            return f"more than {MOST_DEPTH} levels or {MOST_ITEMS:,} items"
        if isinstance(item, (int, float)) and abs(item) > LARGEST:
            return f"a number beyond {LARGEST:g}"
        if isinstance(item, str) and len(item) > MOST_TEXT:
            return f"a text of {len(item):,} characters"
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        stack += [(part, depth + 1) for part in inner]
    return ""


def unsound(row: Comparison) -> str:
    """The first contradiction in a comparison; empty if there is none."""
    return next((said for said in _contradictions(row) if said), "")


def _contradictions(row: Comparison) -> Iterator[str]:
    flips, n = row.flips, row.n
    yield f"n is {n}" if n < 1 else ""
    yield "there is no metric top1" if "top1" not in row.metrics else ""
    yield from (f"{len(getattr(row, name))} {name}" for name, most in LISTS.items() if len(getattr(row, name)) > most)
    parts = (flips.both_right, flips.lost, flips.gained, flips.both_wrong)
    yield f"the flips are {parts} of {n}" if min(parts) < 0 or sum(parts) != n else ""
    yield "more ids than flips" if len(flips.lost_ids) > flips.lost or len(flips.gained_ids) > flips.gained else ""
    yield from (_share(f"metric {name}", d.reference, d.candidate) for name, d in row.metrics.items() if name in SHARES)
    for c in row.per_class:
        yield f"class {c.index} has {c.n} images" if not 0 <= c.n <= n else _share("a class", c.reference, c.candidate)
    for s in row.stages:
        yield f"step {s.name} lost {s.lost} and gained {s.gained} of {n}" if not _counts(n, s.lost, s.gained) else ""
        yield _share(f"step {s.name}", s.top1, s.ece)
    for b in (*row.reliability.reference, *row.reliability.candidate):
        yield (
            "a bin that is none" if not 0 <= b.lo < b.hi <= 1 or b.n < 0 else _share("a bin", b.confidence, b.accuracy)
        )
    for rule in row.verdict.rules if row.verdict else ():
        yield "a rule with an impossible confidence" if not 0 < rule.confidence < 1 else ""
    yield from (_share("an answer", f.reference.confidence, f.candidate.confidence) for f in row.flipped)
    yield from _sums(row)
    yield from _intervals(row)
    yield from _judgement(row.verdict) if row.verdict else ()


def _sums(row: Comparison) -> Iterator[str]:
    """Figures that follow from the flips, each computed again."""
    flips, top1, found = row.flips, row.metrics["top1"], row.overlap
    table = FlipCounts(flips.both_right, flips.lost, flips.gained, flips.both_wrong)
    before, now = (flips.both_right + flips.lost) / row.n, (flips.both_right + flips.gained) / row.n
    yield _same("metric top1", (top1.reference, before), (top1.candidate, now), (top1.delta, now - before))
    errors = (flips.gained + flips.both_wrong, flips.lost + flips.both_wrong)
    seen = (found.errors_reference, found.errors_candidate)
    yield f"the errors are {seen}, the flips make them {errors}" if seen != errors else ""
    yield _same("the overlap of errors", (found.jaccard, jaccard(table)), (found.jaccard_max, jaccard_max(table)))
    yield _same("the test of lost = gained", (row.mcnemar.p, mcnemar_exact(flips.lost, flips.gained)))
    counted = sum(c.n for c in row.per_class)
    yield f"the classes have {counted} images of {row.n}" if row.per_class and counted != row.n else ""
    for side in ("reference", "candidate") if counted == row.n else ():
        right = sum(c.n * (getattr(c, side) or 0.0) for c in row.per_class)
        yield _same(f"top1 over the classes of the {side}", (right / row.n, getattr(top1, side)))
    for c in row.per_class:
        known = c.reference is not None and c.candidate is not None
        yield _same(f"class {c.index}", (c.delta, (c.candidate or 0) - (c.reference or 0))) if known else ""
    for s in row.stages:
        yield f"step {s.name} has the net {s.net}" if s.net != s.gained - s.lost else ""
    nets = sum(s.net for s in row.stages)
    yield f"the steps sum to {nets}" if row.stages and nets != flips.gained - flips.lost else ""


def _intervals(row: Comparison) -> Iterator[str]:
    """Changes that are no differences, and intervals that are none."""
    for name, d in row.metrics.items():
        if d.reference is not None and d.candidate is not None and d.delta is not None:
            yield _same(f"metric {name}", (d.delta, d.candidate - d.reference))
        yield f"metric {name} has the interval {d.ci95}" if d.ci95 and d.ci95[0] > d.ci95[1] else ""
    top1 = row.metrics["top1"]
    if top1.ci95 is not None and top1.delta is not None:
        yield "top1 lies outside its interval" if not top1.ci95[0] - SMALL <= top1.delta <= top1.ci95[1] + SMALL else ""
    for bins in (row.reliability.reference, row.reliability.candidate):
        counted = sum(b.n for b in bins)
        yield f"the bins hold {counted} images of {row.n}" if bins and counted != row.n else ""


def _judgement(verdict: Verdict) -> Iterator[str]:
    """A verdict that its own rules do not give."""
    worst = next((status for status in WORST_FIRST if status in {rule.status for rule in verdict.rules}), None)
    if verdict.status not in ("NO_VERDICT", worst):
        yield f"the verdict is {verdict.status}, its rules make it {worst or 'none'}"
    if verdict.exit_code != EXIT[verdict.status]:
        yield f"a {verdict.status} with the exit code {verdict.exit_code}"
    for rule in verdict.rules if verdict.sequential is None else ():
        sign = -1 if rule.limit == "max_drop" else 1
        better = 1 if rule.limit in ("max_drop", "min") else -1
        bound, value = (
            None if end is None else better * (end - sign * rule.margin) for end in (rule.bound, rule.value)
        )
        if rule.status == "PASS" and bound is not None and bound < -SMALL:
            yield f"{rule.metric} passes beyond its limit"
        if rule.status == "FAIL" and value is not None and value > SMALL:
            yield f"{rule.metric} fails within its limit"


def _same(what: str, *pairs: tuple[float | None, float | None]) -> str:
    """Complain unless both of each pair are one number, or both none."""
    for seen, made in pairs:
        if (seen is None) != (made is None) or (seen is not None and made is not None and abs(seen - made) > SMALL):
            return f"{what} is {_figure(seen)} where the rest makes it {_figure(made)}"
    return ""


def _figure(number: float | None) -> str:
    return "nothing" if number is None else f"{number:.6g}"


def _share(what: str, *values: float | None) -> str:
    """Complain unless all values that are known are fractions (a rounding error over 1 is none)."""
    wrong = [value for value in values if value is not None and not -1e-6 <= value <= 1 + 1e-3]
    return f"{what} has the share {wrong[0]:g}" if wrong else ""


def _counts(n: int, *values: int) -> bool:
    return all(0 <= value <= n for value in values)

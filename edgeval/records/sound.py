"""Whether a comparison that was read from a file can be true: numbers within their range, counts that add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgeval.records.findings import Comparison

MOST_DEPTH = 40
MOST_ITEMS = 2_000_000
MOST_TEXT = 200_000
LARGEST = 1e15
LISTS = {"stages": 16, "flipped": 20_000, "confusions": 20_000, "notes": 10_000, "per_class": 100_000}
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


def _share(what: str, *values: float | None) -> str:
    """Complain unless all values that are known are fractions (a rounding error over 1 is none)."""
    wrong = [value for value in values if value is not None and not -1e-6 <= value <= 1 + 1e-3]
    return f"{what} has the share {wrong[0]:g}" if wrong else ""


def _counts(n: int, *values: int) -> bool:
    return all(0 <= value <= n for value in values)

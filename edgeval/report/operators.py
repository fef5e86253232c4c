"""What int8 of each kind of operator costs, as text for the screen."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from edgeval.records.findings import Estimate
from edgeval.records.operators import KindCost, Measure, OperatorReport, Tried

WIDTH = 100
HEADS = {
    "mse_ratio": ("MSE", "x float (95%)", "x in int8 (95%)"),
    "top1_drop": ("errors", "points (95%)", "points (95%)"),
}


def render_operators(found: OperatorReport) -> str:
    """The sentence, the files that treat all operators alike, and a row for each kind."""
    score, damage, cost = HEADS[found.measure]
    head = ("file", "kB", "p50 ms", score, damage)
    lines = [
        *textwrap.wrap(found.sentence, WIDTH),
        "",
        f"{found.ladder}:{found.rung} seed {found.seed}, {found.n:,} test images:",
    ]
    lines += _table([head, *(_whole(one, found.measure) for one in found.whole)])
    kinds = ("operators", "alone in int8", "its share of the damage", f"left in float: {cost}", "kB", "p50 ms")
    lines += ["", "By kind of operator: alone in int8 beside float; and full int8 beside the same with it in float:"]
    lines += _table([kinds, *(_kind(row, found.measure) for row in found.kinds)])
    return "\n".join([*lines, "", f"files: {found.folder}"])


def _whole(one: Tried, measure: Measure) -> tuple[str, ...]:
    score = f"{one.score:.4g}" if measure == "mse_ratio" else f"{one.score:.2%}"
    return one.name, f"{one.size_bytes / 1000:,.1f}", _ms(one), score, _stated(one.damage, measure)


def _kind(row: KindCost, measure: Measure) -> tuple[str, ...]:
    share = "" if row.share is None else f"{row.share:.0%}"
    name = f"{row.kind} ({row.operators})"
    more = f"{row.extra_bytes / 1000:+,.1f}"
    return name, _stated(row.only.damage, measure), share, _stated(row.cost, measure), more, _ms(row.all_but)


def _ms(one: Tried) -> str:
    return f"{one.latency_ms.p50:.3f}" if one.latency_ms else ""


def _stated(found: Estimate, measure: Measure) -> str:
    """A value with its interval."""
    if found.value is None:
        return ""
    low, high = found.ci95 or (found.value, found.value)
    if measure == "mse_ratio":
        return f"{found.value:.3f} ({low:.3f} to {high:.3f})"
    return f"{100 * found.value:+.2f} ({100 * low:+.2f} to {100 * high:+.2f})"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns as wide as they must be, the first to the left and the rest to the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            cell.rjust(wide) if k else cell.ljust(wide) for k, (cell, wide) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]

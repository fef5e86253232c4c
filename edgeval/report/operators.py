"""What int8 of each kind of operator costs, as text for the screen."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from edgeval.records.findings import Estimate
from edgeval.records.operators import KindCost, Measure, OperatorReport, Tried

WIDTH, NAME = 80, 20
HEADS = {
    "mse_ratio": ("MSE", "x float (95%)", "x in int8 (95%)"),
    "top1_drop": ("errors", "points (95%)", "points in int8 (95%)"),
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
    lines += ["", "By kind of operator, alone in int8, beside float:"]
    lines += _table([("operators", damage), *(_only(row, found.measure) for row in found.kinds)])
    lines += ["", "Left in float while the rest is int8: full int8 beside that, and what it takes:"]
    kinds = ("operators", cost, "share", "kB", "p50 ms")
    lines += _table([kinds, *(_all_but(row, found.measure) for row in found.kinds)])
    doubt = ["~ approximate: decides nothing"] if any("~" in line for line in lines) else []
    return "\n".join([*lines, *doubt, "", f"files: {found.folder}"])


def _whole(one: Tried, measure: Measure) -> tuple[str, ...]:
    score = f"{one.score:.4g}" if measure == "mse_ratio" else f"{one.score:.2%}"
    return one.name, f"{one.size_bytes / 1000:,.1f}", _ms(one), score, _stated(one.damage, measure)


def _only(row: KindCost, measure: Measure) -> tuple[str, ...]:
    return _name(row), _stated(row.only.damage, measure)


def _all_but(row: KindCost, measure: Measure) -> tuple[str, ...]:
    share = "" if row.share is None else f"{row.share:.0%}"
    return (
        _name(row),
        _stated(row.cost, measure),
        share,
        f"{row.extra_bytes / 1000:+,.1f}",
        _ms(row.all_but),
    )


def _name(row: KindCost) -> str:
    return f"{row.kind[:NAME]} ({row.operators})"


def _ms(one: Tried) -> str:
    return f"{one.latency_ms.p50:.3f}" if one.latency_ms else ""


def _stated(found: Estimate, measure: Measure) -> str:
    """A value with its interval, and a ~ where that is approximate."""
    if found.value is None:
        return ""
    low, high = found.ci95 or (found.value, found.value)
    doubt = " ~" if found.approximate else ""
    if measure == "mse_ratio":
        return f"{found.value:.3f} ({low:.3f} to {high:.3f}){doubt}"
    return f"{100 * found.value:+.2f} ({100 * low:+.2f} to {100 * high:+.2f}){doubt}"


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

"""The pictures of the HTML report: what was lost and gained at each step, by class, by confidence, and in common."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from edgeval.records.findings import Bin, ClassDelta, Comparison, Overlap
from edgeval.report import wording
from edgeval.report.svg import GAINED, INK, LINE, LOST, MUTED, PALE, Drawing, draw

WIDTH = 460
LABELLED = 10  # classes that keep their name at either end
EXPLORING = 0.10  # false discovery rate below which a class is drawn in full colour


def waterfall(row: Comparison, *, prefix: str) -> str:
    """Top-1 from the reference down (lost) and up (gained) through each step."""

    def paint() -> Drawing:
        drawing = Drawing(WIDTH, 44 * (len(row.stages) + 2) + 40)
        axes = drawing.axes(104, 4, WIDTH - 220, 44 * (len(row.stages) + 2))
        axes.set_ylim(len(row.stages) + 1.5, -0.5)
        level = 100 * (row.stages[0].top1 - row.stages[0].net / row.n)
        _level(axes, 0, level, "reference")
        for y, step in enumerate(row.stages, start=1):
            low, level_after = level - 100 * step.lost / row.n, 100 * step.top1
            axes.plot([level, level], [y - 1, y - 0.34], color=LINE, lw=1.2, zorder=0)
            axes.barh(y - 0.17, level - low, left=low, height=0.32, color=LOST)
            axes.barh(y + 0.17, level_after - low, left=low, height=0.32, color=GAINED)
            _left(axes, y, step.name)
            _right(axes, y - 0.2, f"{wording.signed_count(-step.lost)} lost", LOST)
            _right(axes, y + 0.2, f"{wording.signed_count(step.gained)} gained", GAINED)
            level = level_after
        axes.plot([level, level], [len(row.stages) + 0.34, len(row.stages) + 1], color=LINE, lw=1.2, zorder=0)
        _level(axes, len(row.stages) + 1, level, "candidate")
        axes.margins(x=0.06)
        _percent_axis(axes, "top-1 accuracy, %")
        return drawing

    return draw(paint, label=f"Top-1 accuracy through {len(row.stages)} steps", prefix=prefix)


def class_changes(classes: Sequence[ClassDelta], *, prefix: str) -> str:
    """Every class as a bar, sorted by change; the worst and the best carry their names, those between stand closer."""
    ranked = sorted((c for c in classes if c.delta is not None), key=lambda c: (c.delta or 0.0, c.index))
    named = [len(ranked) <= 2 * LABELLED + 6 or min(k, len(ranked) - 1 - k) < LABELLED for k in range(len(ranked))]
    close = min(4.0, 480 / max(1, named.count(False)))
    tops = [0.0, *itertools.accumulate(19 if name else close for name in named)]

    def paint() -> Drawing:
        drawing = Drawing(WIDTH, tops[-1] + 48)
        axes = drawing.axes(150, 4, WIDTH - 262, tops[-1])
        axes.set_ylim(tops[-1], 0)
        axes.axvline(0, color=MUTED, lw=1)
        # Bars begin and end on whole pixels, which keeps the narrow ones crisp.
        bars = [
            (top + 9, 12.0) if name else (top + 0.375 * close, 0.75 * close)
            for top, name in zip(tops, named, strict=False)
        ]
        for (color, alpha), group in _by_colour(ranked).items():
            axes.hlines(
                [bars[k][0] for k in group],
                0,
                [100 * (ranked[k].delta or 0.0) for k in group],
                linewidths=[bars[k][1] for k in group],
                colors=color,
                alpha=alpha,
            )
        for c, top in ((c, top) for c, top, name in zip(ranked, tops, named, strict=False) if name):
            _left(axes, top + 9, wording.clean(c.name, 18))
            both = f"{wording.percent(c.reference, 0)} → {wording.percent(c.candidate, 0)}"
            _right(axes, top + 9, both, MUTED)
        _percent_axis(axes, "change of class accuracy, percentage points")
        return drawing

    return draw(paint, label=f"Change of accuracy of {len(ranked)} classes, from worst to best", prefix=prefix)


def reliability(bins: Sequence[Bin], *, name: str, prefix: str) -> str:
    """Accuracy against confidence by bin, its gap to the diagonal, and below how many images each bin holds."""
    filled = [b for b in bins if b.n and b.accuracy is not None and b.confidence is not None]

    def paint() -> Drawing:
        drawing = Drawing(330, 372)
        main, below = drawing.axes(46, 10, 270, 240), drawing.axes(46, 268, 270, 52)
        main.plot([0, 100], [0, 100], color=MUTED, lw=1, ls=(0, (4, 3)))
        middles, widths = [50 * (b.lo + b.hi) for b in filled], [92 * (b.hi - b.lo) for b in filled]
        main.bar(middles, [100 * (b.accuracy or 0) for b in filled], width=widths, color=PALE)
        below.bar(middles, [b.n for b in filled], width=widths, color=MUTED)
        over = [(b.confidence or 0) > (b.accuracy or 0) for b in filled]
        for color, side in ((LOST, True), (GAINED, False)):
            mine = [b for b, is_over in zip(filled, over, strict=True) if is_over == side]
            x, y = [100 * (b.confidence or 0) for b in mine], [100 * (b.accuracy or 0) for b in mine]
            main.vlines(x, x, y, colors=color, linewidths=1.4)
            main.plot(x, y, "o", color=color, ms=5)
        main.set(xlim=(0, 100), ylim=(0, 100), xticks=range(0, 101, 25), yticks=range(0, 101, 25))
        main.set_xticklabels([])
        main.grid(axis="y")
        below.set(xlim=(0, 100), xticks=range(0, 101, 25), xlabel="confidence, %", ylabel="images")
        below.yaxis.set_major_locator(MaxNLocator(2, integer=True))
        below.yaxis.set_major_formatter(lambda n, _: f"{n / 1000:g}k" if n >= 1000 else f"{n:g}")
        main.set_ylabel("accuracy, %")
        for axes in (main, below):
            axes.yaxis.set_label_coords(-34 / 270, 0.5)
        return drawing

    return draw(paint, label=f"Reliability diagram of {name}: accuracy against confidence in 15 bins", prefix=prefix)


def error_sets(row: Comparison, *, prefix: str) -> str:
    """The errors of both sides as one bar, split into those of one side only and those in common; J on its scale."""
    flips, parts = row.flips, (row.flips.gained, row.flips.both_wrong, row.flips.lost)

    def paint() -> Drawing:
        drawing = Drawing(WIDTH, 180)
        axes = drawing.axes(6, 28, WIDTH - 12, 30)
        start = 0
        for part, color in zip(parts, (GAINED, MUTED, LOST), strict=True):
            axes.barh(0, part, left=start, height=1, color=color, edgecolor="none")
            start += part
        axes.set(xlim=(0, max(start, 1)), ylim=(-0.5, 0.5))
        axes.axis("off")
        drawing.text(6, 14, f"only reference wrong {wording.count(flips.gained)}", color=GAINED, size=11)
        drawing.text(
            WIDTH - 6, 14, f"{wording.count(flips.lost)} only candidate wrong", color=LOST, size=11, ha="right"
        )
        drawing.text(WIDTH / 2, 72, f"both wrong {wording.count(flips.both_wrong)}", color=MUTED, size=11, ha="center")
        _scale(drawing.axes(20, 108, WIDTH - 40, 30), row.overlap)
        return drawing

    return draw(paint, label="Errors of the reference only, of both, and of the candidate only", prefix=prefix)


def changes(rows: Sequence[Comparison], *, prefix: str) -> str:
    """The change of top-1 of each row with its 95% interval."""

    def paint() -> Drawing:
        drawing = Drawing(WIDTH, 34 * len(rows) + 48)
        axes = drawing.axes(110, 4, WIDTH - 130, 34 * len(rows))
        axes.axvline(0, color=MUTED, lw=1)
        for y, (row, name) in enumerate(zip(rows, wording.short_names(rows), strict=True)):
            top1 = row.metrics["top1"]
            if top1.delta is not None:
                axes.plot(100 * top1.delta, y, "o", color=INK, ms=7)
            if top1.ci95 is not None:
                axes.plot([100 * end for end in top1.ci95], [y, y], color=INK, lw=2)
            _left(axes, y, wording.clean(name, 16))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.margins(x=0.05)
        _percent_axis(axes, "change of top-1, percentage points")
        return drawing

    return draw(paint, label=f"Change of top-1 accuracy of {len(rows)} candidates with 95% intervals", prefix=prefix)


def _by_colour(ranked: Sequence[ClassDelta]) -> dict[tuple[str, float], list[int]]:
    """Positions by colour (the direction) and opacity (pale where the change may be chance)."""
    groups: dict[tuple[str, float], list[int]] = {}
    for k, c in enumerate(ranked):
        key = LOST if (c.delta or 0.0) < 0 else GAINED, 1.0 if c.q is None or c.q <= EXPLORING else 0.45
        groups.setdefault(key, []).append(k)
    return groups


def _scale(axes: Axes, overlap: Overlap) -> None:
    """Jaccard from 0 to 1 with the two values it is read against."""
    axes.plot([0, 1], [0, 0], color=LINE, lw=2, solid_capstyle="round")
    if overlap.ci95 is not None:
        axes.plot(overlap.ci95, [0, 0], color=INK, lw=4, solid_capstyle="butt")
    marks = ((overlap.jaccard_independent, "independent"), (overlap.jaccard_max, "most possible"))
    for (value, name), y in zip(marks, (-1.2, -2.1), strict=True):
        if value is not None:
            axes.plot([value, value], [-0.55, 0.55], color=MUTED, lw=1.4)
            side = "left" if value < 0.15 else "right" if value > 0.85 else "center"
            axes.text(value, y, f"{name} {value:.2f}", color=MUTED, size=11, ha=side, va="center")
    if overlap.jaccard is not None:
        axes.plot(overlap.jaccard, 0, "o", color=INK, ms=9)
        axes.text(overlap.jaccard, 1.1, f"J {overlap.jaccard:.2f}", size=12, ha="center", va="center", weight="bold")
    axes.set(xlim=(-0.02, 1.02), ylim=(-1, 1))
    axes.axis("off")


def _level(axes: Axes, y: float, level: float, name: str) -> None:
    """A level of accuracy at one end of the waterfall."""
    axes.plot(level, y, "o", color=INK, ms=8, clip_on=False)
    _left(axes, y, name, weight="bold")
    _right(axes, y, f"{level:.1f}%", INK, weight="bold")


def _left(axes: Axes, y: float, text: str, **style: Any) -> None:
    axes.text(-0.04, y, text, transform=axes.get_yaxis_transform(), ha="right", va="center", size=12, **style)


def _right(axes: Axes, y: float, text: str, color: str, **style: Any) -> None:
    axes.text(
        1.05, y, text, transform=axes.get_yaxis_transform(), ha="left", va="center", size=11.5, color=color, **style
    )


def _percent_axis(axes: Axes, label: str) -> None:
    """A quiet horizontal axis in percent."""
    axes.set_yticks([])
    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}".replace("-", wording.MINUS))
    axes.grid(axis="x")

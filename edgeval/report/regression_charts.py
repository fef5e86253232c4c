"""The pictures of a regression report: how many samples stay within which error, and errors by range of the target."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from edgeval.records.regression import ErrorBin, ErrorCurve
from edgeval.report import wording
from edgeval.report.svg import GAINED, INK, LINE, LOST, MUTED, Drawing, draw

WIDTH, HEIGHT = 330, 250


def error_curve(curve: ErrorCurve, *, name: str, tolerance: float | None, prefix: str) -> str:
    """Share of the samples whose absolute error is at most x, on both sides; a dashed line at the tolerance."""
    shares = [0.0, *(100 * share for share in curve.share)]
    most = next((k for k, share in enumerate(curve.share) if share >= 0.98), len(curve.share) - 1)
    right = 1.05 * max(curve.reference[most], curve.candidate[most], tolerance or 0.0) or 1.0

    def paint() -> Drawing:
        drawing = Drawing(WIDTH, HEIGHT)
        axes = drawing.axes(46, 10, WIDTH - 60, HEIGHT - 56)
        for side, color, width in ((curve.reference, MUTED, 2.6), (curve.candidate, INK, 1.4)):
            axes.plot([0.0, *side], shares, color=color, lw=width, drawstyle="steps-post")
        if tolerance is not None:
            axes.axvline(tolerance, color=MUTED, lw=1, ls=(0, (4, 3)))
        axes.set(xlim=(0, right), ylim=(0, 100), yticks=range(0, 101, 25), ylabel="samples, %")
        axes.set_xlabel("absolute error, at most")
        _quiet(axes)
        return drawing

    return draw(paint, label=f"Share of samples within an absolute error, {name}", prefix=prefix)


def by_target(bins: Sequence[ErrorBin], *, name: str, prefix: str) -> str:
    """Root mean square error of both sides by range of the target, and below their mean error."""
    middles = [(b.lo + b.hi) / 2 for b in bins]

    def paint() -> Drawing:
        drawing = Drawing(WIDTH, HEIGHT + 90)
        above, below = drawing.axes(58, 10, WIDTH - 72, 160), drawing.axes(58, 196, WIDTH - 72, 96)
        _stems(above, middles, [(b.rmse_reference, b.rmse_candidate) for b in bins])
        above.set_ylim(0, 1.12 * max(max(b.rmse_reference, b.rmse_candidate) for b in bins) or 1.0)
        above.set_ylabel("RMS error")
        _stems(below, middles, [(b.bias_reference, b.bias_candidate) for b in bins])
        below.axhline(0, color=MUTED, lw=1)
        below.set_ylabel("mean error")
        below.set_xlabel("target")
        for axes in (above, below):
            axes.set_xlim(_around(bins[0].lo, bins[-1].hi))
            axes.yaxis.set_major_locator(MaxNLocator(4))
            axes.yaxis.set_label_coords(-46 / (WIDTH - 72), 0.5)
            _quiet(axes)
        above.xaxis.set_major_formatter(lambda v, _: "")
        return drawing

    return draw(paint, label=f"Errors by range of the target, {name}: {len(bins)} bins", prefix=prefix)


def _stems(axes: Axes, x: Sequence[float], pairs: Sequence[tuple[float, float]]) -> None:
    """From the reference's value to the candidate's: orange where it is further from 0, blue where it is nearer."""
    for color, worse in ((LOST, True), (GAINED, False)):
        mine = [k for k, (a, b) in enumerate(pairs) if (abs(b) > abs(a)) == worse]
        axes.vlines([x[k] for k in mine], [pairs[k][0] for k in mine], [pairs[k][1] for k in mine], colors=color, lw=2)
    axes.plot(x, [a for a, _ in pairs], "o", color=MUTED, ms=7)
    axes.plot(x, [b for _, b in pairs], "o", color=INK, ms=4)


def _around(low: float, high: float) -> tuple[float, float]:
    """The range with a little room on both sides, never empty."""
    room = 0.04 * (high - low) or max(abs(low), 1.0) * 0.1
    return low - room, high + room


def _quiet(axes: Axes) -> None:
    """A grid, and numbers with the true minus sign."""
    axes.grid(axis="y", color=LINE)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda v, _: f"{v:g}".replace("-", wording.MINUS))

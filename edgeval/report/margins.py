"""The pictures of a verdict: an interval against its margin, and a divergence beside what moves without a cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from edgeval.records.verdict import RuleResult
from edgeval.report import judged, wording
from edgeval.report.svg import GAINED, INK, LINE, LOST, MUTED, PALE, Drawing, draw

WIDTH = 220


@dataclass(frozen=True)
class Span:
    """A share of the images, or a range of shares; `floor`: moved without any real difference."""

    name: str
    low: float
    high: float
    floor: bool = False


def margin(rule: RuleResult, *, prefix: str) -> str:
    """The one-sided interval of a rule against its margin; the allowed side is shaded. Empty without a value."""
    if rule.value is None:
        return ""
    value, edge = rule.value, judged.line(rule)
    zero = [] if rule.limit in judged.ABSOLUTE else [0.0]
    marks = [value, edge, *zero, *(end for end in (rule.bound, rule.good) if end is not None)]
    spread = (max(marks) - min(marks)) or max(abs(edge), 1e-9)
    low, high = min(marks) - 0.18 * spread, max(marks) + 0.18 * spread

    def paint() -> Drawing:
        drawing = Drawing(WIDTH, 50)
        axes = drawing.axes(2, 2, WIDTH - 4, 28)
        axes.set(xlim=(low, high), ylim=(-1, 1))
        axes.axis("off")
        axes.axvspan(edge, high if judged.higher_is_better(rule) else low, color=PALE, lw=0)
        if zero:
            axes.plot([0, 0], [-1, 1], color=MUTED, lw=1, ls=(0, (2, 2)))
        axes.plot([edge, edge], [-1, 1], color=INK, lw=1.8)
        _interval(axes, rule, value, edge)
        axes.plot(value, 0, "o", color=INK, ms=7)
        _labels(drawing, [(edge, judged.figure(rule, edge)), *((0.0, "0") for _ in zero)], low=low, high=high)
        return drawing

    label = f"{judged.status_words(rule.status)}: {wording.clean(judged.full(rule), 300)}"
    return draw(paint, label=label, prefix=prefix)


def floors(spans: Sequence[Span], *, prefix: str) -> str:
    """How many answers moved at a step, beside how many move between kernel families or trainings alone."""
    top = max(span.high for span in spans) or 0.01

    def paint() -> Drawing:
        drawing = Drawing(460, 34 * len(spans) + 34)
        axes = drawing.axes(160, 4, 190, 34 * len(spans))
        axes.set(xlim=(0, 100 * top * 1.05), ylim=(len(spans) - 0.5, -0.5))
        for y, span in enumerate(spans):
            color = MUTED if span.floor else INK
            axes.plot([0, 100 * top * 1.05], [y, y], color=LINE, lw=0.8, zorder=0)
            if span.high > span.low:
                axes.plot([100 * span.low, 100 * span.high], [y, y], color=color, lw=7, solid_capstyle="butt")
            else:
                axes.plot(100 * span.high, y, "o", color=color, ms=9, clip_on=False)
            place = axes.get_yaxis_transform()
            axes.text(-0.05, y, wording.clean(span.name, 28), transform=place, ha="right", va="center", size=12)
            ends = wording.percent(span.high)
            ends = f"{wording.percent(span.low)} to {ends}" if span.high > span.low else ends
            axes.text(1.05, y, ends, transform=place, ha="left", va="center", size=11.5, color=color)
        axes.set_yticks([])
        axes.spines["bottom"].set_visible(False)
        axes.set_xticks([])
        axes.set_xlabel("share of the images whose correctness moved")
        return drawing

    names = "; ".join(f"{span.name} {wording.percent(span.high)}" for span in spans)
    return draw(paint, label=f"Shares of images that moved: {wording.clean(names, 200)}", prefix=prefix)


def _interval(axes: Axes, rule: RuleResult, value: float, edge: float) -> None:
    """From the bad end to the good one, with a cap at the bad end; what lies beyond the margin has another colour."""
    if rule.bound is None:
        return
    ends = sorted((rule.bound, value if rule.good is None else rule.good))
    cut = min(max(edge, ends[0]), ends[1])
    bad, good = ((ends[0], cut), (cut, ends[1])) if judged.higher_is_better(rule) else ((cut, ends[1]), (ends[0], cut))
    axes.plot(good, [0, 0], color=GAINED, lw=3.4, solid_capstyle="butt")
    axes.plot(bad, [0, 0], color=LOST, lw=3.4, solid_capstyle="butt")
    axes.plot([rule.bound, rule.bound], [-0.5, 0.5], color=INK, lw=1.6)


def _labels(drawing: Drawing, marks: Sequence[tuple[float, str]], *, low: float, high: float) -> None:
    """Figures under the picture; one that would touch an earlier one is left out."""
    used: list[float] = []
    for at, text in marks:
        half = 3.4 * len(text)
        x = min(max(2 + (at - low) / (high - low) * (WIDTH - 4), half), WIDTH - half)
        if all(abs(x - other) > half + 26 for other in used):
            drawing.text(x, 41, text, color=MUTED, size=11, ha="center")
            used.append(x)

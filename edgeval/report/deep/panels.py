"""Panels of MSE against size on the same logarithmic axes: one drawing each, or all of them on one sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from edgeval.report import wording
from edgeval.report.deep.wording import error
from edgeval.report.lawfigure import Mark, short, ticks_of
from edgeval.report.svg import LINE, MUTED, Drawing, draw

WIDTH, LEFT, RIGHT, TITLE, ROW, PLOT, FOOT = 330, 46, 18, 24, 16, 196, 42
SPLIT = 0.63  # share of the width that the first column of the legend has
LETTERS = 31, 17  # that fit into its columns
DASHES: dict[str, object] = {"solid": "-", "dashed": (0, (5, 3)), "dotted": (0, (1, 2))}


@dataclass(frozen=True)
class Series:
    """Points (size, MSE), each with the least and the largest seed; law: c and exponent of the fitted line."""

    name: str
    mark: Mark
    points: tuple[tuple[float, float], ...]
    spread: tuple[tuple[float, float], ...] = ()
    law: tuple[float, float] | None = None


@dataclass(frozen=True)
class Rule:
    """A thin line; without a name it is not in the legend, without points only there."""

    name: str
    points: tuple[tuple[float, float], ...]
    style: str = "solid"
    color: str = MUTED


@dataclass(frozen=True)
class Stop:
    """Where a law stops: a cross, and a dotted line down to the size."""

    at: tuple[float, float]
    color: str


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    title: str
    across: str
    series: tuple[Series, ...]
    rules: tuple[Rule, ...] = ()
    stops: tuple[Stop, ...] = ()


def single_panels(panels: Sequence[Panel], *, prefix: str) -> tuple[str, ...]:
    """Each panel as an <svg> of its own, all with the same axes, so that slopes can be compared."""
    return tuple(_drawn([panel], panels, columns=1, prefix=f"{prefix}{k}") for k, panel in enumerate(panels))


def sheet(panels: Sequence[Panel], *, columns: int, prefix: str) -> str:
    """All panels in one <svg>."""
    return _drawn(panels, panels, columns=columns, prefix=prefix)


def _drawn(shown: Sequence[Panel], panels: Sequence[Panel], *, columns: int, prefix: str) -> str:
    """`shown` on the axes that all `panels` share."""
    rows = max(max(len(panel.series), sum(bool(rule.name) for rule in panel.rules)) for panel in panels)
    top = TITLE + ROW * rows + 8
    tall = top + PLOT + FOOT
    ends = _ends(panels)

    def paint() -> Drawing:
        down = -(-len(shown) // columns)
        drawing = Drawing(WIDTH * min(columns, len(shown)), tall * down)
        for k, panel in enumerate(shown):
            x, y = WIDTH * (k % columns), tall * (k // columns)
            axes = drawing.axes(x + LEFT, y + top, WIDTH - LEFT - RIGHT, PLOT)
            _scales(axes, panel, ends)
            _fill(axes, panel)
            _legend(drawing, panel, x, y)
        return drawing

    titles = ", ".join(wording.clean(panel.title, 60) for panel in shown)
    return draw(paint, label=f"Against {shown[0].across}, on logarithmic axes: {titles}", prefix=prefix)


def _ends(panels: Iterable[Panel]) -> tuple[float, float, float, float]:
    """Least and largest size, least and largest MSE, with some room."""
    points = [p for panel in panels for one in panel.series for p in one.points]
    points += [p for panel in panels for rule in panel.rules for p in rule.points]
    sizes = [p for panel in panels for one in panel.series for p, _ in one.points]
    seeds = [end for panel in panels for one in panel.series for ends in one.spread for end in ends]
    errors = [e for _, e in points if e > 0] + [end for end in seeds if end > 0]
    room = (max(sizes) / min(sizes)) ** 0.07
    return min(sizes) / room, max(sizes) * room, min(errors) / 1.6, max(errors) * 1.8


def _scales(axes: Axes, panel: Panel, ends: tuple[float, float, float, float]) -> None:
    """Logarithmic axes with plain texts."""
    left, right, low, high = ends
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    across, up = ticks_of(left, right, 4), ticks_of(low, high, 6)
    axes.set_xticks(across, labels=[short(tick) for tick in across])
    axes.set_yticks(up, labels=[error(tick, 1) for tick in up])
    axes.minorticks_off()
    axes.grid(axis="both")
    axes.set_xlabel(panel.across)


def _fill(axes: Axes, panel: Panel) -> None:
    """Lines below, points above."""
    for rule in panel.rules:
        xs, ys = [size for size, _ in rule.points], [mse for _, mse in rule.points]
        axes.plot(xs, ys, color=rule.color, lw=1.0, ls=DASHES[rule.style], zorder=2)
    for stop in panel.stops:
        x, y = stop.at
        axes.vlines([x], axes.get_ylim()[0], [y], color=stop.color, lw=1.0, ls=DASHES["dotted"], zorder=2)
        axes.plot([x], [y], "x", color=stop.color, ms=7, mew=1.6, zorder=5)
    for one in panel.series:
        _series(axes, one)


def _series(axes: Axes, one: Series) -> None:
    """Points, from the least to the largest seed as a bar, and the fitted line."""
    xs, ys = (np.array(values, float) for values in zip(*one.points, strict=True))
    color = one.mark.color
    if one.law is not None:
        c, exponent = one.law
        ends = np.array([xs.min(), xs.max()])
        axes.plot(ends, c * ends**-exponent, color=color, lw=1.2, zorder=3)
    if one.spread:
        lows, highs = zip(*one.spread, strict=True)
        axes.vlines(xs, lows, highs, color=color, lw=1.4, zorder=3)
    face, size = ("none", 7.5) if one.mark.hollow else (color, 5.0)
    axes.plot(xs, ys, one.mark.marker, mfc=face, mec=color, ms=size, mew=1.3, ls="none", zorder=4)


def _legend(drawing: Drawing, panel: Panel, left: float, top: float) -> None:
    """The title, below it what is drawn: points in the first column, lines in the second."""
    start, wide = left + 2, WIDTH - 10
    drawing.text(start, top + 10, wording.clean(panel.title, 44), size=12.5, weight="bold")
    for k, one in enumerate(panel.series):
        face, size = ("none", 7.0) if one.mark.hollow else (one.mark.color, 5.0)
        look = {"marker": one.mark.marker, "mfc": face, "mec": one.mark.color, "ms": size, "mew": 1.3}
        _entry(drawing, (start, top + TITLE + ROW * k + 6), wording.clean(one.name, LETTERS[0]), look, one.mark.color)
    for k, rule in enumerate(rule for rule in panel.rules if rule.name):
        look = {"color": rule.color, "lw": 1.0, "ls": DASHES[rule.style]}
        place = (start + SPLIT * wide, top + TITLE + ROW * k + 6)
        _entry(drawing, place, wording.clean(rule.name, LETTERS[1]), look, rule.color)


def _entry(drawing: Drawing, place: tuple[float, float], text: str, look: dict[str, object], color: str) -> None:
    """A sample of the mark or line, and its name."""
    from matplotlib.lines import Line2D

    x, y = place
    line = "lw" in look
    xs = [x, x + 14] if line else [x + 6]
    height = 1 - y / drawing.height
    sample = Line2D(
        [at / drawing.width for at in xs],
        [height] * len(xs),
        transform=drawing.figure.transFigure,
        **look,  # type: ignore[arg-type]
    )
    drawing.figure.add_artist(sample)
    drawing.text(x + (19 if line else 16), y, text, size=10.5, color=color if color != LINE else MUTED)

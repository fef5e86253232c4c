"""Laws of error against size as one picture: errors and fitted lines above, local exponents below."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from edgeval.records.laws import Law
from edgeval.records.scaling import Scaling
from edgeval.report import wording
from edgeval.report.pages import TEMPLATES
from edgeval.report.svg import GAINED, INK, LINE, LOST, MUTED, Drawing, draw

WIDTH, LEFT, RIGHT, MAIN, GAP, LOCAL = 460, 54, 128, 280, 26, 96
COLORS = (INK, GAINED, LOST, MUTED)
SHAPES = ("D", "s", "^", "v", "P", "X")
LABEL = 15.0  # pixels that a line of a label needs
WIDEST = 16  # characters that fit into it
TICKS = ((1, 2, 3, 4, 5, 6, 8), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))


@dataclass(frozen=True)
class Mark:
    """How a law is drawn: a colour of svg.py, a marker of matplotlib, filled or hollow (its line is then dashed)."""

    color: str = INK
    marker: str = "o"
    hollow: bool = False


@dataclass(frozen=True)
class Curve:
    """One law, with the name that stands beside its line."""

    name: str
    law: Law
    mark: Mark = Mark()


def curves_of(scaling: Scaling, *, color: str = INK, name: str = "") -> list[Curve]:
    """A ladder as trained (filled) and as deployed (hollow, larger), in one colour; `name` goes before each label."""
    found = [Curve(f"{name} as trained".strip() if scaling.deployed else name, scaling, Mark(color))]
    places = {one.target for one in scaling.deployed}
    for one, shape in zip(scaling.deployed, SHAPES * len(scaling.deployed), strict=False):
        short = one.format.removeprefix("tflite-") if one.format.startswith("tflite-") else one.format
        where = f" {one.target}" if len(places) > 1 or not name else ""
        found.append(Curve(f"{name} {short}{where}".strip(), one, Mark(color, shape, True)))
    return found


def law_figure(curves: Sequence[Curve], *, prefix: str) -> str:
    """One <svg>: error against parameters on logarithmic axes, and the exponents between neighbouring sizes.

    Points are means over seeds, their bars one standard deviation. `prefix` makes the ids unique within a page.
    """

    def paint() -> Drawing:
        drawing = Drawing(WIDTH, MAIN + GAP + LOCAL + 52)
        main = drawing.axes(LEFT, 8, WIDTH - LEFT - RIGHT, MAIN)
        below = drawing.axes(LEFT, 8 + MAIN + GAP, WIDTH - LEFT - RIGHT, LOCAL)
        _scales(main, below, curves)
        for curve in curves:
            _errors(main, curve)
            _locals(below, curve)
        _rungs(main, curves)
        _names(main, curves)
        return drawing

    names = ", ".join(wording.clean(curve.name, 40) for curve in curves if curve.name)
    return draw(paint, label=f"Error against parameters on logarithmic axes: {names or 'one law'}", prefix=prefix)


def standalone(svg: str) -> str:
    """The drawing as a file of its own: with the page's colours, light and dark, and its font."""
    css = (TEMPLATES / "style.css").read_text(encoding="utf-8").partition("* {")[0]
    style = f"<style>{css}svg {{ background: var(--paper); }} svg text {{ font-family: var(--sans); }}</style>"
    svg = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + re.sub(r"^(<svg [^>]*>)", lambda m: m[1] + style, svg) + "\n"


def _scales(main: Axes, below: Axes, curves: Sequence[Curve]) -> None:
    """Both panels over the same sizes; every text of the axes is plain."""
    points = [point for curve in curves for point in curve.law.points]
    sizes = [point.params for point in points]
    errors = [
        100 * end for p in points for end in (p.error, max(p.error - (p.sd or 0), p.error / 2), p.error + (p.sd or 0))
    ]
    room = (max(sizes) / min(sizes)) ** 0.07
    for axes in (main, below):
        axes.set_xscale("log")
        axes.set_xlim(min(sizes) / room, max(sizes) * room)
        axes.set_xticks(ticks_of(min(sizes) / room, max(sizes) * room, 4), labels=[])
        axes.minorticks_off()
        axes.grid(axis="both")
    main.set_yscale("log")
    low, high = min(errors) / 1.12, max(errors) * 1.12
    main.set_ylim(low, high)
    ticks = ticks_of(low, high, 7)
    main.set_yticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    main.minorticks_off()
    main.set_ylabel("top-1 error, %")
    below.set_ylabel("local exponent")
    below.set_xlabel("parameters")
    shown = below.get_xticks()
    below.set_xticks(shown, labels=[short(tick) for tick in shown])
    below.yaxis.set_major_locator(MaxNLocator(4))
    below.yaxis.set_major_formatter(lambda x, _: f"{x:g}".replace("-", wording.MINUS))
    for axes in (main, below):
        axes.yaxis.set_label_coords(-42 / (WIDTH - LEFT - RIGHT), 0.5)


def _errors(axes: Axes, curve: Curve) -> None:
    """Points with their spread, and the fitted line."""
    law, mark = curve.law, curve.mark
    sizes = np.array([point.params for point in law.points], float)
    errors = np.array([100 * point.error for point in law.points])
    spread = np.array([100 * (point.sd or 0.0) for point in law.points])
    ends = np.array([sizes.min(), sizes.max()])
    dashes = (0, (5, 3)) if mark.hollow else "-"
    axes.plot(ends, 100 * law.c * ends**-law.alpha.value, color=mark.color, lw=1.2, ls=dashes, zorder=2)
    low = np.maximum(errors - spread, errors / 2)
    axes.vlines(sizes[spread > 0], low[spread > 0], (errors + spread)[spread > 0], color=mark.color, lw=1.4, zorder=3)
    _points(axes, sizes, errors, mark)


def _locals(axes: Axes, curve: Curve) -> None:
    """The exponent between two neighbouring sizes, at their geometric mean, and alpha of the whole as a thin line."""
    places = np.sqrt([float(step.params_from) * step.params_to for step in curve.law.local])
    values = np.array([step.alpha for step in curve.law.local])
    dashes = (0, (5, 3)) if curve.mark.hollow else "-"
    axes.axhline(curve.law.alpha.value, color=curve.mark.color, lw=0.8, ls=dashes, alpha=0.55, zorder=1)
    _points(axes, places, values, curve.mark)
    axes.margins(y=0.18)


def _points(axes: Axes, x: np.ndarray, y: np.ndarray, mark: Mark) -> None:
    """Filled and small, or hollow and larger, so that one within the other shows both."""
    face, size = ("none", 9.0) if mark.hollow else (mark.color, 4.5)
    axes.plot(x, y, mark.marker, mfc=face, mec=mark.color, ms=size, mew=1.3, ls="none", zorder=4)


def _rungs(axes: Axes, curves: Sequence[Curve]) -> None:
    """The names of sizes, as many as there is room for: under the first filled law, above the others."""
    for number, curve in enumerate(curve for curve in curves if not curve.mark.hollow):
        last = -np.inf
        for point in curve.law.points:
            top = max(
                other.error
                for one in curves
                if one.mark.color == curve.mark.color
                for other in one.law.points
                if other.params == point.params
            )
            place = (point.params, 100 * (top if number else point.error))
            at = float(axes.transData.transform(place)[0])
            if point.name == f"{point.params:,}" or at - last < 6.5 * len(point.name) + 6:
                continue
            last = at
            shift, side, edge = ((4, 6), "left", "bottom") if number else ((-5, -6), "right", "top")
            text, color = wording.clean(point.name, 8), curve.mark.color
            axes.annotate(text, place, shift, textcoords="offset points", ha=side, va=edge, size=10.5, color=color)


def _names(axes: Axes, curves: Sequence[Curve]) -> None:
    """The name and exponent of each law at its right end; labels keep apart, thin lines lead to those that moved."""
    height = MAIN
    ends = [float(axes.transData.transform((c.law.points[-1].params, _end(c)))[1]) for c in curves]
    base = float(axes.transAxes.transform((0, 0))[1])
    texts = [[*_lines(curve.name), f"α {curve.law.alpha.value:.3f}"] for curve in curves]
    places = apart([end - base for end in ends], LABEL * max(map(len, texts)), height)
    for curve, end, place, lines in zip(curves, ends, places, texts, strict=True):
        x, text = 1.07, "\n".join(lines)
        style = {"transform": axes.transAxes, "size": 10.5, "va": "center", "color": curve.mark.color}
        face, size = ("none", 7.5) if curve.mark.hollow else (curve.mark.color, 4.5)
        mark = {"mfc": face, "mec": curve.mark.color, "mew": 1.2, "ms": size, "clip_on": False}
        start = float(
            axes.transAxes.inverted().transform(axes.transData.transform((curve.law.points[-1].params, 1)))[0]
        )
        joint = [start + 0.025, 1.03], [(end - base) / height, place / height]
        axes.plot(*joint, color=LINE, lw=0.9, transform=axes.transAxes, clip_on=False, zorder=1)
        axes.plot([x - 0.01], [place / height], curve.mark.marker, transform=axes.transAxes, **mark)  # type: ignore[arg-type]
        axes.text(x + 0.035, place / height, text, **style)  # type: ignore[arg-type]


def _lines(name: str) -> list[str]:
    """A name in at most two lines of what stands beside the picture."""
    return [wording.clean(line, WIDEST) for line in textwrap.wrap(wording.visible(name), WIDEST)[:2]]


def _end(curve: Curve) -> float:
    """The last point's error, where the label belongs."""
    return 100 * curve.law.points[-1].error


def apart(places: Sequence[float], room: float, height: float) -> list[float]:
    """The places moved as little as it takes that neighbours are `room` apart and all lie in 0..height, if they fit."""
    order = sorted(range(len(places)), key=lambda k: places[k])
    moved = [places[k] for k in order]
    for k in range(1, len(moved)):
        moved[k] = max(moved[k], moved[k - 1] + room)
    over = max(0.0, moved[-1] + room / 2 - height) if moved else 0.0
    for k in range(len(moved) - 1, -1, -1):
        top = height - room / 2 - room * (len(moved) - 1 - k)
        moved[k] = min(moved[k], top) if over else moved[k]
    low = max(0.0, room / 2 - moved[0]) if moved else 0.0
    for k in range(len(moved)):
        moved[k] = max(moved[k], room / 2 + room * k) if low else moved[k]
    found = [0.0] * len(places)
    for k, place in zip(order, moved, strict=True):
        found[k] = place
    return found


def ticks_of(low: float, high: float, most: int) -> list[float]:
    """Round numbers of a logarithmic axis: every decade, with as many between as fit into `most`."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in TICKS:
        found = [step * 10.0**k for k in decades for step in steps if low <= step * 10.0**k <= high]
        if len(found) <= most:
            break
    return found or [float(f"{place:.2g}") for place in np.geomspace(low * 1.02, high / 1.02, 3)]


def short(number: float) -> str:
    """20000 -> 20k."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:g}{name}"
    return f"{number:g}"

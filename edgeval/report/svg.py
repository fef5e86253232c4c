"""Drawings as inline SVG: matplotlib draws them, and here their colours and fonts are handed over to the page."""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

from matplotlib import rc_context, rcdefaults, rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Each stand-in colour becomes a CSS variable of the page, which gives it a light and a dark value.
INK, MUTED, LINE, LOST, GAINED, PALE = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
GREEN = "#070707"
VARIABLES = {INK: "ink", MUTED: "muted", LINE: "line", LOST: "lost", GAINED: "gained", PALE: "pale", GREEN: "pass"}
DROPPED = ("metadata", "style")  # matplotlib's <style> would reach beyond its own drawing
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "edgeval",
    "text.parse_math": False,
    "font.size": 12,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": LINE,
    "axes.axisbelow": True,
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


class Drawing:
    """A figure of `width` x `height` CSS pixels, on which axes are placed by their box in pixels from the top left."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        self.figure.patch.set_visible(False)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes whose plotting area is this box."""
        w, h = self.width, self.height
        axes = self.figure.add_axes((left / w, 1 - (top + height) / h, width / w, height / h))
        axes.patch.set_visible(False)
        return axes

    def text(self, x: float, y: float, text: str, **style: Any) -> None:
        """Text in pixels from the top left."""
        self.figure.text(x / self.width, 1 - y / self.height, text, va="center", **style)


def draw(paint: Callable[[], Drawing], *, label: str, prefix: str) -> str:
    """The drawing as one <svg> element that can stand in a page beside others.

    `label` is read aloud instead of the picture; `prefix` makes the ids inside unique within the page. The same
    drawing gives the same text every time, whatever matplotlibrc the user has.
    """
    buffer = io.StringIO()
    with rc_context(), warnings.catch_warnings():
        # Text stays text, set in the page's own fonts: what matplotlib's font lacks does not matter.
        warnings.filterwarnings("ignore", message=r"Glyph|Matplotlib currently does not support", category=UserWarning)
        rcdefaults()
        rcParams.update(STYLE)
        drawing = paint()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        canvas: Any = FigureCanvasSVG(drawing.figure)
        canvas.print_svg(buffer, metadata=nothing)
    root = ET.fromstring(buffer.getvalue())  # noqa: S314  matplotlib wrote it a line ago
    _hand_over(root, prefix)
    root.attrib = {
        "viewBox": f"0 0 {drawing.width:g} {drawing.height:g}",
        "width": f"{drawing.width:g}",
        "height": f"{drawing.height:g}",
        "role": "img",
        "aria-label": label,
    }
    return ET.tostring(root, encoding="unicode")


def _hand_over(root: ET.Element, prefix: str) -> None:
    """Drop what the page does not need, make ids unique, and let the page choose colours and fonts."""
    for parent in list(root.iter()):
        for child in [c for c in parent if _local(str(c.tag)) in DROPPED or not (len(c) or c.attrib or c.text)]:
            parent.remove(child)
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', ET.tostring(root, encoding="unicode")))
    for element in root.iter():
        element.tag = _local(str(element.tag))
        element.tail = None
        if not (element.text or "").strip():
            element.text = None
        element.attrib = {_local(k): _value(_local(k), v, prefix) for k, v in element.attrib.items()}
        if element.get("id", "").removeprefix(f"{prefix}-") not in used:
            element.attrib.pop("id", None)


def _local(name: str) -> str:
    """A tag or attribute name without its namespace: HTML knows that <svg> is SVG."""
    return name.rpartition("}")[2]


def _value(name: str, value: str, prefix: str) -> str:
    """One attribute in the page's terms."""
    if name == "id":
        return f"{prefix}-{value}"
    if name == "href":
        return value.replace("#", f"#{prefix}-", 1)
    if name == "style":
        value = re.sub(r"font: (?:(\d+) )?([\d.]+px)[^;]*", _font, value)
        value = re.sub(r"font-family: [^;]*;? ?", "", value)
        value = re.sub(r"#0[1-7]0[1-7]0[1-7]", lambda found: f"var(--{VARIABLES[found.group()]})", value)
    return value.replace("url(#", f"url(#{prefix}-")


def _font(found: re.Match[str]) -> str:
    """Keep size and weight; the family is the page's own."""
    weight = f"font-weight: {found.group(1)}; " if found.group(1) else ""
    return f"{weight}font-size: {found.group(2)}"

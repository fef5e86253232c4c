"""The pictures of a study of regressors: the laws as trained, and where int8 stops them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import Along, DeepRegression, ErrorLaw, QuantisationFloor
from edgeval.report import wording
from edgeval.report.deep.floor import meet_words
from edgeval.report.deep.panels import Panel, Rule, Series, Stop
from edgeval.report.deep.wording import format_words, number, rank
from edgeval.report.lawfigure import Mark
from edgeval.report.svg import GAINED, GREEN, INK, LOST

COLORS, SHAPES = (INK, GAINED, LOST, GREEN), ("o", "s", "^", "D")
NAMED = (("its noise", "solid"), ("step² / 12", "dashed"))
HOLLOW = (Mark(LOST, "s", True), Mark(GAINED, "D", True), Mark(GREEN, "^", True))
ACROSS: dict[Along, str] = {"images": "training images", "parameters": "parameters"}
LETTER: dict[Along, str] = {"images": "β", "parameters": "γ"}  # the names that the paper gives the exponents


def law_panels(found: DeepRegression, along: Along) -> tuple[Panel, ...]:
    """A panel an output: every network as trained with its law, kernel ridge and the mean predictor."""
    laws = [law for law in found.laws if law.along == along and law.format == TORCH]
    nets = list(dict.fromkeys(law.net for law in laws))
    panels = []
    for name in found.outputs:
        mine = [law for law in laws if law.output == name]
        if mine:
            series = tuple(_series(law, nets.index(law.net), mine) for law in mine)
            panels.append(Panel(f"MSE of {name}", ACROSS[along], series, _baselines(found, mine)))
    return tuple(panels)


def _series(law: ErrorLaw, k: int, laws: Sequence[ErrorLaw]) -> Series:
    """One law; its name says what is held where a network has several."""
    held = f", {law.fixed}" if sum(other.net == law.net for other in laws) > 1 and law.fixed else ""
    name = f"{wording.clean(f'{law.net}{held}', 21)}, {LETTER[law.along]} {number(law.exponent.value)}"
    points = tuple((float(point.size), point.mse) for point in law.points)
    mark = Mark(COLORS[k % len(COLORS)], SHAPES[(k + k // len(COLORS)) % len(SHAPES)])
    spread = tuple((point.low, point.high) for point in law.points)
    return Series(name, mark, points, spread, (law.c, law.exponent.value))


def _baselines(found: DeepRegression, laws: Sequence[ErrorLaw]) -> tuple[Rule, ...]:
    """Thin lines: over the training images, or level at the number of images that the laws hold."""
    sizes = [point.size for law in laws for point in law.points]
    rows = sorted((row for row in found.baselines if row.output == laws[0].output), key=lambda row: row.images)
    if laws[0].along == "parameters":
        held = {row.images for law in laws for row in found.rows if _holds(law, row.rung, row.net)}
        rows = [row for row in rows if held == {row.images}]
        ends = [float(min(sizes)), float(max(sizes))]
    else:
        rows = [row for row in rows if min(sizes) <= row.images <= max(sizes)]
        ends = []
    ridge = [(float(row.images), row.ridge) for row in rows if row.ridge]
    mean = [(float(row.images), row.mean) for row in rows]
    if ends:
        ridge, mean = ([(end, value) for _, value in points for end in ends] for points in (ridge, mean))
    named = (("kernel ridge", ridge, "dashed"), ("mean predictor", mean, "solid"))
    return tuple(Rule(name, tuple(points), style) for name, points, style in named if len(points) > 1)


def _holds(law: ErrorLaw, rung: str, net: str) -> bool:
    return net == law.net and any(point.name == rung for point in law.points)


def deployed_panels(found: DeepRegression) -> tuple[Panel, ...]:
    """A panel a network and output: as trained, as deployed, the noise, that of the grid alone, and the stop.

    Along images, or along parameters where there is nothing else; of several targets the first.
    """
    along: Along = "images" if any(floor.along == "images" for floor in found.floors) else "parameters"
    there = [floor for floor in found.floors if floor.along == along]
    held = {net: {floor.fixed for floor in there if floor.net == net} for net in {floor.net for floor in there}}
    panels = []
    for net, fixed, name in dict.fromkeys((floor.net, floor.fixed, floor.output) for floor in there):
        mine = [floor for floor in there if (floor.net, floor.fixed, floor.output) == (net, fixed, name)]
        title = f"{net}: MSE of {name}" + (f", {fixed}" if len(held[net]) > 1 else "")
        looks = _looks(there, mine)
        panels += [_deployed(title, looks)] if looks else []
    return tuple(panels)


def _looks(
    floors: Sequence[QuantisationFloor], mine: Sequence[QuantisationFloor]
) -> list[tuple[QuantisationFloor, Mark]]:
    """The first target of each format, with a look that the format has in every panel."""
    formats = sorted({floor.format for floor in floors}, key=rank)[: len(HOLLOW)]
    return [
        (next(floor for floor in mine if floor.format == fmt), HOLLOW[k])
        for k, fmt in enumerate(formats)
        if any(floor.format == fmt for floor in mine)
    ]


def _deployed(title: str, floors: Sequence[tuple[QuantisationFloor, Mark]]) -> Panel:
    """One network and output in every format."""
    first = floors[0][0]
    trained = tuple((float(size), mse) for size, mse, _, _ in first.points)
    series, rules, stops = [Series("as trained", Mark(), trained, law=_law(first))], [], []
    for floor, mark in floors:
        words = f"{wording.clean(format_words(floor.format), 14)}, {meet_words(floor)}"
        series.append(Series(words, mark, tuple((float(n), mse) for n, _, _, mse in floor.points)))
        noise = tuple((float(n), value) for n, _, value, _ in floor.points if value > 0)
        rules += [Rule("", noise, color=mark.color)] if len(noise) > 1 else []
        ends = [float(floor.points[0][0]), float(floor.points[-1][0])]
        rules += [Rule("", tuple((x, floor.grid) for x in ends), "dashed", mark.color)] if floor.grid else []
        stops += [Stop((floor.stops, _at(noise, floor.stops)), mark.color)] if floor.stops and noise else []
    rules += [Rule(words, (), style) for words, style in NAMED]
    return Panel(title, ACROSS[first.along], tuple(series), tuple(rules), tuple(stops))


def _law(floor: QuantisationFloor) -> tuple[float, float]:
    """c and exponent of the law as trained: a least-squares line goes through the mean of its points."""
    logs = np.log([(size, trained) for size, trained, _, _ in floor.points])
    x, y = logs.mean(axis=0)
    return float(np.exp(y + floor.trained.value * x)), floor.trained.value


def _at(points: Sequence[tuple[float, float]], size: float) -> float:
    """The noise at a size, by straight lines on logarithmic axes."""
    xs, ys = zip(*points, strict=True)
    return float(np.exp(np.interp(np.log(size), np.log(xs), np.log(ys))))

"""What deployment did to each output's error: ratios at every size, and everything at the largest training set."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import DeepRegression, OutputErrors, SizeErrors
from edgeval.report import wording
from edgeval.report.blocks import Block, Heading, Table, Text, known_columns
from edgeval.report.deep.wording import (
    Place,
    by_size,
    error,
    number,
    output,
    place_words,
    places,
    ratio,
    signed,
    trained,
)

LAST = "each network's largest training set that has been deployed everywhere"
MOST = 10  # sizes of a network in a table of ratios
WORDS = (
    "The same networks as files. First the error of each size as a multiple of that of the same seeds as trained, then"
    f" everything at {LAST}; study.json holds the rest."
    " Bias, R2, the 95% bound and the largest error are means over seeds. Left and came in are the shares of the"
    " samples that deployment took out of the band and into it. The step is that of the grid on which the answers of an"
    " int8 file lie; rounding to it alone adds step^2 / 12, while the noise is the mean square that answers moved."
    " Which operators cost that, and which file to ship instead: edgeval operators LADDER:RUNG."
)


def deployed_blocks(found: DeepRegression) -> Iterator[Block]:
    """Nothing where nothing was deployed."""
    if not places(found):
        return
    yield Heading("As deployed")
    yield Text(WORDS)
    last = _largest(found)
    for name in found.outputs:
        yield Heading(name, 3)
        yield _ratios(found, name)
        yield _details(found, last, name)
    files = known_columns(_files(found, last))
    if len(files.head) > 3:
        yield Heading("Files", 3)
        yield files


def _ratios(found: DeepRegression, name: str) -> Table:
    """MSE as trained, and a column a place with the multiple of it."""
    rows = _shown(trained(found))
    there = places(found)
    body = []
    for row in rows:
        one = output(row, name)
        cells = (
            row.net,
            row.rung,
            wording.count(row.images),
            wording.count(row.params),
            error(one.mse if one else None),
        )
        body.append((*cells, *(_ratio(found, row, name, place) for place in there)))
    head = ("Net", "Size", "Images", "Parameters", "MSE as trained", *(place_words(found, place) for place in there))
    some = (
        ""
        if len(rows) == len(trained(found))
        else f"; up to {MOST} sizes of each network, from the smallest to the largest"
    )
    return known_columns(
        Table(head, tuple(body), f"{name}: MSE as deployed, in multiples of that as trained{some}", words=2)
    )


def _shown(rows: Sequence[SizeErrors]) -> list[SizeErrors]:
    """Of each network all sizes, or evenly chosen ones with both ends."""
    shown: list[SizeErrors] = []
    for net in dict.fromkeys(row.net for row in rows):
        mine = [row for row in rows if row.net == net]
        step = max(1.0, (len(mine) - 1) / (MOST - 1))
        shown += [mine[round(k * step)] for k in range(min(MOST, len(mine)))]
    return shown


def _ratio(found: DeepRegression, twin: SizeErrors, name: str, place: Place) -> str:
    """The multiple at the same size in one place."""
    for row in found.rows:
        if (row.net, row.rung, row.protocol, row.format, row.target) == (twin.net, twin.rung, twin.protocol, *place):
            one = output(row, name)
            return ratio(one.ratio if one else None)
    return wording.DASH


def _largest(found: DeepRegression) -> list[SizeErrors]:
    """Of each network every place at one size, so that they compare: the size that is in most places, and of those the
    one with the most images, then the most parameters; as trained first."""
    order = places(found)
    sizes: dict[tuple[str, str, str], list[SizeErrors]] = {}
    for row in by_size(found, found.rows):
        sizes.setdefault((row.net, row.rung, row.protocol), []).append(row)
    best: dict[str, list[SizeErrors]] = {}
    for (net, _, _), there in sizes.items():
        if len(there) >= len(best.get(net, [])):
            best[net] = there
    nets = list(dict.fromkeys(row.net for row in found.rows))

    def rank(row: SizeErrors) -> tuple[int, int]:
        place = (row.format, row.target)
        return nets.index(row.net), order.index(place) if place in order else -1

    return sorted((row for there in best.values() for row in there), key=rank)


def _details(found: DeepRegression, rows: Sequence[SizeErrors], name: str) -> Table:
    """Everything that is known of one output."""
    body = []
    for row in rows:
        one = output(row, name)
        if one is not None:
            where = place_words(found, (row.format, row.target))
            body.append((row.net, row.rung, where, *_measures(one), *_grid(one)))
    head: tuple[str, ...] = (
        "Net",
        "Size",
        "Where",
        "MSE",
        "Times trained",
        "Bias",
        "R2",
        "95% within",
        "Largest",
        "Left",
        "Came in",
    )
    head += ("Noise", "Step", "Step / RMSE", "Step^2 / 12")
    return known_columns(
        Table(
            head,
            tuple(body),
            f"{name}, at {LAST}",
            words=3,
        )
    )


def _measures(one: OutputErrors) -> tuple[str, ...]:
    return (
        error(one.mse),
        ratio(one.ratio),
        signed(one.bias),
        number(one.r2, 5),
        number(one.p95, 4),
        number(one.max_abs, 3),
        wording.percent(one.left, 1),
        wording.percent(one.came, 1),
        error(one.noise),
    )


def _grid(one: OutputErrors) -> tuple[str, ...]:
    """The output's step, beside its error."""
    if one.step is None:
        return (wording.DASH,) * 3
    beside = number(one.step / math.sqrt(one.mse)) if one.mse > 0 else wording.DASH
    return error(one.step), beside, error(one.step**2 / 12)


def _files(found: DeepRegression, rows: Sequence[SizeErrors]) -> Table:
    """What the files of the largest training sets weigh and take."""
    body = tuple(
        (
            row.net,
            row.rung,
            place_words(found, (row.format, row.target)),
            wording.DASH if row.size_bytes is None else wording.size(row.size_bytes),
            wording.DASH if row.latency_p50_ms is None else f"{row.latency_p50_ms:,.3g}",
        )
        for row in rows
        if row.format != TORCH
    )
    return Table(("Net", "Size", "Where", "File", "Latency p50, ms"), body, words=3)

"""Networks beside the mean predictor and kernel ridge: who wins, where, and by how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from edgeval.records.deep_regression import BaselineRow, DeepRegression
from edgeval.records.regressors import MEAN, RIDGE
from edgeval.report import wording
from edgeval.report.blocks import Block, Heading, Table, Text, known_columns
from edgeval.report.deep.wording import error, rounded


def baseline_blocks(found: DeepRegression) -> Iterator[Block]:
    """Nothing where no baseline was computed."""
    if not found.baselines:
        return
    yield Heading("Beside the mean predictor and kernel ridge")
    for said in winner_sentences(found):
        yield Text(said)
    yield _table(found.baselines)


def winner_sentences(found: DeepRegression) -> list[str]:
    """For each output who has the lowest error, and by how much; and every network that learned nothing."""
    said = []
    for name in dict.fromkeys(row.output for row in found.baselines):
        rows = sorted((row for row in found.baselines if row.output == name), key=lambda row: row.images)
        rows = [row for row in rows if rivals(row)]
        if rows:
            said.append(f"{wording.clean(name, 40)}: {_where(rows)}. {_margin(rows[-1])}.{_useless(rows)}")
    return said


def rivals(row: BaselineRow) -> dict[str, float]:
    """Kernel ridge and the networks with their errors, the lowest first."""
    errors = dict(row.nets) | ({} if row.ridge is None else {RIDGE: row.ridge})
    return dict(sorted(errors.items(), key=lambda item: item[1]))


def _where(rows: Sequence[BaselineRow]) -> str:
    """'kernel ridge has the lowest error up to 500 images, fcn from 1,000 images on'."""
    winners = [(wording.clean(next(iter(rivals(row))), 40), row.images) for row in rows]
    runs = [(name, [images for _, images in run]) for name, run in groupby(winners, key=lambda pair: pair[0])]
    if len(runs) == 1:
        where = f"at all {len(rows)} sizes of the training set" if len(rows) > 1 else f"at {rows[0].images:,} images"
        return f"{runs[0][0]} has the lowest error {where}"
    if len(runs) == 2:
        (one, few), (other, many) = runs
        return f"{one} has the lowest error up to {few[-1]:,} images, {other} from {many[0]:,} images on"
    names = dict.fromkeys(name for name, _ in winners)
    counts = [f"{name} at {sum(name == who for who, _ in winners)}" for name in names]
    return f"the lowest error changes hands: {', '.join(counts)} of {len(rows)} sizes of the training set"


def _margin(row: BaselineRow) -> str:
    """Everybody's error at one size, the lowest first, as multiples of it."""
    order = list((rivals(row) | {MEAN: row.mean}).items())
    order.sort(key=lambda item: item[1])
    least = order[0][1]
    parts = [f"{wording.clean(order[0][0], 40)} {error(least)}"]
    parts += [f"{wording.clean(name, 40)} {error(value)}{_times(value, least)}" for name, value in order[1:]]
    return f"At {wording.count(row.images)} images: {', '.join(parts)}"


def _times(value: float, least: float) -> str:
    """'(3.2 times that)'; nothing beside an error of 0."""
    return f" ({rounded(value / least)} times that)" if least > 0 else ""


def _useless(rows: Sequence[BaselineRow]) -> str:
    """Which networks do not beat the mean predictor, and at which sizes."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for net, value in row.nets.items():
            if value >= row.mean:
                found.setdefault(wording.clean(net, 40), []).append(wording.count(row.images))
    return "".join(
        f" {net} does NOT beat the mean predictor at {', '.join(sizes)} images." for net, sizes in found.items()
    )


def _table(rows: Sequence[BaselineRow]) -> Table:
    """Every size; a network that was not trained there has a dash."""
    nets = list(dict.fromkeys(net for row in rows for net in row.nets))
    body = []
    for row in sorted(rows, key=lambda row: row.images):
        best = next(iter(rivals(row)), wording.DASH)
        cells = [error(row.nets.get(net)) for net in nets]
        body.append((row.output, wording.count(row.images), error(row.mean), error(row.ridge), *cells, best))
    outputs = list(dict.fromkeys(row.output for row in rows))
    body.sort(key=lambda cells: outputs.index(cells[0]))
    head = ("Output", "Images", "Mean predictor", "Kernel ridge", *nets, "Lowest")
    return known_columns(
        Table(
            head,
            tuple(body),
            "MSE on the same test images, all learned from the same images; of several widths of a network the largest",
        )
    )

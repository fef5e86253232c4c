"""Errors as trained in the units of the physical values, where the study knows the ranges they were scaled from."""

from __future__ import annotations

from collections.abc import Iterator

from edgeval.records.deep_regression import DeepRegression, SizeErrors
from edgeval.report import wording
from edgeval.report.blocks import Block, Heading, Table, known_columns
from edgeval.report.deep.wording import error, output, trained


def unit_blocks(found: DeepRegression) -> Iterator[Block]:
    """Every size of every network; nothing where no units are known."""
    if not found.units:
        return
    body = tuple(
        (row.net, row.rung, wording.count(row.images), wording.count(row.params), *_cells(row, found))
        for row in trained(found)
    )
    outputs = [f"{name}, {unit.name}" for name, unit in zip(found.outputs, found.units, strict=True)]
    head = ("Net", "Size", "Images", "Parameters", *outputs)
    drawn = ", ".join(
        f"{name} {unit.low:g} to {unit.high:g} {unit.name}"
        for name, unit in zip(found.outputs, found.units, strict=True)
    )
    yield Heading("In physical units", 3)
    yield known_columns(
        Table(head, body, f"Root mean square error: the root of the MSE times the range ({drawn})", words=2)
    )


def unit_sentences(found: DeepRegression) -> list[str]:
    """'fcn, 4,000 images: theta 0.00521 degrees, ...' of each network's largest size."""
    if not found.units:
        return []
    last = {row.net: row for row in trained(found)}
    said = []
    for net, row in last.items():
        named = zip(found.outputs, _cells(row, found), found.units, strict=True)
        cells = [f"{wording.clean(name, 30)} {cell} {wording.clean(unit.name, 20)}" for name, cell, unit in named]
        said.append(f"{wording.clean(net, 30)}, {wording.count(row.images)} images: {', '.join(cells)}")
    return said


def _cells(row: SizeErrors, found: DeepRegression) -> list[str]:
    """The root mean square error of each output."""
    there = [output(row, name) for name in found.outputs]
    return [physical(one.rmse) if one else wording.DASH for one in there]


def physical(value: float | None) -> str:
    """Three digits, as people write lengths and angles: 0.00521, 12.3; a power of ten only far from 1."""
    if value is None or not (value == 0 or 1e-4 <= value < 999.5):
        return error(value)
    return f"{value:#.3g}".rstrip(".")

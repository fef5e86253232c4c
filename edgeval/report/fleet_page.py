"""The page of a fleet: what became of each target, what each candidate lost there, and where targets disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgeval.errors import InputError
from edgeval.records.findings import Comparison
from edgeval.records.fleet import Disagreement, Fleet
from edgeval.report import judged, wording
from edgeval.report.pages import environment

MOST_IN_MATRIX = 12


def render_fleet(fleet: Fleet, rows: Sequence[Comparison], *, pages: Mapping[str, str]) -> str:
    """One self-contained page; `pages` holds the relative link of each target's own report.

    Raises RuntimeMissing without the `report` extra, InputError without a row.
    """
    if not rows:
        raise InputError("there is no comparison to report", hint="edgeval compare --target NAME,NAME")
    names = wording.short_names(rows)
    lines = [
        {
            "device": device,
            "page": pages.get(device.name, ""),
            "rows": [
                {"row": row, "name": name, "number": k + 1}
                for k, (row, name) in enumerate(_of(device.name, rows, names))
            ],
        }
        for device in fleet.devices
    ]
    status = judged.overall(rows)
    status = "NO_VERDICT" if status and fleet.gap else status
    return (
        environment()
        .get_template("fleet.html.j2")
        .render(
            fleet=fleet,
            rows=rows,
            lines=lines,
            status=status,
            why=_why(rows, fleet),
            silent=fleet.silent,
            references=_references(rows),
            groups=_groups(fleet),
            title=f"{wording.count(len(fleet.devices))} targets, {fleet.name}",
        )
    )


def _of(device: str, rows: Sequence[Comparison], names: Sequence[str]) -> list[tuple[Comparison, str]]:
    """The rows of one target with their short names."""
    return [(row, name) for row, name in zip(rows, names, strict=True) if wording.place(row) == device]


def _why(rows: Sequence[Comparison], fleet: Fleet) -> str:
    """How many comparisons have the verdict of the whole, or which targets are missing from it."""
    status, found = judged.overall(rows), judged.verdicts(rows)
    mine = [verdict for verdict in found if verdict.status == status]
    share = f"{wording.count(len(mine))} of {wording.count(len(found))} comparisons"
    if status and fleet.gap:
        return f"{fleet.gap}. The others: {judged.status_words(status)} in {share}."
    return f"{share}."


def _references(rows: Sequence[Comparison]) -> list[tuple[str, float | None]]:
    """Name and top-1 of each reference."""
    return list({row.reference.name: row.metrics["top1"].reference for row in rows}.items())


def _groups(fleet: Fleet) -> list[dict[str, Any]]:
    """The pairs file by file: a matrix of few targets, and the list."""
    files: dict[str, list[Disagreement]] = {}
    for pair in fleet.disagreement:
        files.setdefault(pair.sha256, []).append(pair)
    return [_group(pairs) for pairs in files.values()]


def _group(pairs: Sequence[Disagreement]) -> dict[str, Any]:
    """One file on all targets that ran it."""
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.one, pair.other)))
    cells = {(pair.one, pair.other): pair for pair in pairs} | {(pair.other, pair.one): pair for pair in pairs}
    most = max(pair.changed / pair.n for pair in pairs) or 1.0
    return {
        "candidate": pairs[0].candidate,
        "format": pairs[0].format,
        "sha256": pairs[0].sha256,
        "n": pairs[0].n,
        "pairs": sorted(pairs, key=lambda pair: -pair.changed / pair.n),
        "names": names if 2 < len(names) <= MOST_IN_MATRIX else [],
        "cells": cells,
        "shade": {key: round(pair.changed / pair.n / most, 3) for key, pair in cells.items()},
    }

"""The index of all reports: every kept comparison with its verdict, its change of top-1, its date and its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgeval.records.findings import Comparison
from edgeval.records.fleet import Fleet
from edgeval.records.regression import RegressionComparison
from edgeval.report import judged, wording
from edgeval.report.pages import environment


@dataclass(frozen=True)
class Entry:
    """One kept comparison: its file, its page as a relative link (empty: none), the UTC time, and what it says.

    A file that cannot be read has no rows, and `error` says why.
    """

    file: str
    page: str
    when: str
    rows: tuple[Comparison | RegressionComparison, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class FleetEntry:
    """A run on several targets: its page as a relative link, the UTC time, and what became of the targets."""

    page: str
    when: str
    fleet: Fleet


def render_index(
    entries: Sequence[Entry], *, title: str, home: str = "", fleets: Sequence[FleetEntry] = (), devices: bool = False
) -> str:
    """The page that lists these, the newest first; `home` links to the index above. Raises RuntimeMissing.

    fleets: runs on several targets; devices: whether each target gets a line that leads to its own index.
    """
    newest = sorted(entries, key=lambda entry: (entry.when, entry.file), reverse=True)
    lines = [_line(entry, row, name) for entry in newest for row, name in _rows(entry)]
    damaged = [entry for entry in newest if entry.error]
    page = environment().get_template("index.html.j2")
    many = sorted((_fleet(one) for one in fleets), key=lambda line: str(line["when"]), reverse=True)
    targets = _devices(lines) if devices else []
    return page.render(lines=lines, damaged=damaged, title=title, home=home, fleets=many, devices=targets)


def _fleet(entry: FleetEntry) -> dict[str, object]:
    """One run on several targets."""
    fleet = entry.fleet
    furthest = max(fleet.disagreement, key=lambda pair: pair.changed / pair.n, default=None)
    return {
        "page": entry.page,
        "name": fleet.name,
        "devices": fleet.devices,
        "silent": len(fleet.silent),
        "furthest": furthest,
        "share": furthest.changed / furthest.n if furthest else None,
        "when": entry.when,
    }


def _devices(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
    """Each target with its newest comparison and the worst verdict among its newest of each candidate."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        found.setdefault(line["folder"], []).append(line)
    return [_device(folder, mine) for folder, mine in sorted(found.items()) if folder]


def _device(folder: str, mine: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """One target; `mine` has the newest first."""
    newest = {line["title"]: line for line in reversed(mine)}
    worst = min(newest.values(), key=lambda line: line["rank"])
    return {
        "name": mine[0]["place"],
        "page": f"{folder}/index.html",
        "origins": list(dict.fromkeys(line["origin"] for line in mine)),
        "count": len(mine),
        "status": worst["status"],
        "rank": worst["rank"],
        "when": mine[0]["when"],
    }


def _rows(entry: Entry) -> list[tuple[Comparison | RegressionComparison, int]]:
    """Each row with the number of its section."""
    return [(row, k + 1) for k, row in enumerate(entry.rows)]


def _line(entry: Entry, row: Comparison | RegressionComparison, number: int) -> dict[str, object]:
    """One candidate in the index; a regression comparison has a ratio of errors in place of a top-1."""
    top1 = row.metrics.get("top1")
    change = wording.points(top1.delta) if top1 else ""
    if isinstance(row, RegressionComparison) and row.mse_ratio.value is not None:
        change = f"MSE × {row.mse_ratio.value:.3g}"
    return {
        "page": f"{entry.page}#row-{number}" if entry.page and len(entry.rows) > 1 else entry.page,
        "title": wording.title(row),
        "reference": row.reference.name,
        "place": wording.place(row),
        "folder": entry.page.rpartition("/")[0],
        "status": row.verdict.status if row.verdict else "",
        "rank": judged.RANK.index(row.verdict.status) if row.verdict else len(judged.RANK),
        "top1": top1.candidate if top1 else None,
        "delta": top1.delta if top1 else None,
        "change": change,
        "lost": row.flips.lost if row.flips else None,
        "gained": row.flips.gained if row.flips else None,
        "origin": row.target.origin,
        "n": row.n,
        "when": entry.when,
        "file": entry.file,
    }

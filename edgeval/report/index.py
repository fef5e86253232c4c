"""The index of all reports: every kept comparison with its verdict, its change of top-1, its date and its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeval.records.findings import Comparison
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


def render_index(entries: Sequence[Entry], *, title: str, home: str = "") -> str:
    """The page that lists these, the newest first; `home` links to the index above. Raises RuntimeMissing."""
    newest = sorted(entries, key=lambda entry: (entry.when, entry.file), reverse=True)
    lines = [_line(entry, row, name) for entry in newest for row, name in _rows(entry)]
    damaged = [entry for entry in newest if entry.error]
    page = environment().get_template("index.html.j2")
    return page.render(lines=lines, damaged=damaged, title=title, home=home)


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

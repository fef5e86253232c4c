"""Build the indexes of the reports folder again, from the comparisons that are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from edgeval.errors import EdgevalError, RuntimeMissing
from edgeval.records.fleet import Fleet
from edgeval.report import wording
from edgeval.report.index import Entry, FleetEntry, render_index
from edgeval.store import Store
from edgeval.workflow.kept import file_stem, read_any


def index_store(store: Store) -> None:
    """Build the index of all targets and that of each target again, from what lies in comparisons/."""
    reports, entries = store.root / "reports", {}
    for path in sorted((store.root / "comparisons").glob("*.json")):
        entries[path] = _entry(path, reports)
    try:
        listed = [entry for entry, _ in entries.values()]
        everything = render_index(listed, title="All targets", fleets=_fleets(store), devices=True)
        Store(reports).write(reports / "index.html", everything.encode())
        for place in sorted({place for _, place in entries.values() if place}):
            mine = [_nearer(entry, place) for entry, where in entries.values() if where == place]
            page = render_index(mine, title=f"Comparisons on {place}", home="../index.html")
            Store(reports).write(reports / place / "index.html", page.encode())
    except RuntimeMissing:
        return


def _fleets(store: Store) -> list[FleetEntry]:
    """The kept runs on several targets whose page is there; damaged ones are passed over."""
    found = []
    for path in sorted((store.root / "fleets").glob("*.json")):
        try:
            fleet, when = store.read_record(Fleet, path), utc(path.stat().st_mtime)
        except (EdgevalError, OSError):
            continue
        if fleet.page and (store.root / "reports" / Path(fleet.page).name).is_file():
            found.append(FleetEntry(Path(fleet.page).name, when, fleet))
    return found


def _entry(path: Path, reports: Path) -> tuple[Entry, str]:
    """One kept comparison for the index, and the folder of its target; a damaged one is listed as such."""
    try:
        when = utc(path.stat().st_mtime)
        rows = read_any(path)
    except (EdgevalError, OSError) as error:
        return Entry(path.name, "", "", error=str(error)), ""
    place = file_stem(wording.place(rows[0]))
    page = reports / place / f"{page_stem(path.stem, place)}.html"
    return Entry(path.name, f"{place}/{page.name}" if page.is_file() else "", when, tuple(rows)), place


def _nearer(entry: Entry, place: str) -> Entry:
    """The same entry with its link as seen from the folder of its target."""
    return Entry(entry.file, entry.page.removeprefix(f"{place}/"), entry.when, entry.rows, entry.error)


def page_stem(stem: str, place: str) -> str:
    """The page's name: the target stands in its folder already; `index` is taken."""
    name = stem.removesuffix(f"-{place}") or stem
    return f"{name}-" if name == "index" else name


def utc(seconds: float) -> str:
    """A time as the index shows it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")

"""Keep what a fleet gave: the pages of each target, one page of all of them, and the files of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgeval.errors import InputError, RuntimeMissing
from edgeval.records.findings import Comparison
from edgeval.records.fleet import Fleet
from edgeval.records.predictions import Predictions
from edgeval.report import wording
from edgeval.report.fleet_page import render_fleet
from edgeval.report.index import Entry, render_index
from edgeval.report.junit import render_junit
from edgeval.report.markdown import render_fleet_markdown
from edgeval.store import Store
from edgeval.tasks.samples import Samples
from edgeval.workflow.index import index_store, page_stem
from edgeval.workflow.kept import file_stem, thumbnails
from edgeval.workflow.report import as_json, keep, now, pages

Pair = tuple[Predictions, Predictions]


def keep_fleet(
    fleet: Fleet,
    found: list[tuple[Comparison, Pair]],
    samples: Samples | None,
    store: Store,
    name: str,
    *,
    report_dir: Path | None = None,
) -> Path:
    """Write the comparisons and pages of each target and the page of all; the path of the last (Markdown without HTML).

    report_dir: gets report.html, a page a target, report.md, report.json, junit.xml and index.html besides.
    """
    links = {}
    for device, mine in by_device(fleet, found).items():
        page = keep([row for row, _ in mine], samples, store, name, tables=[pair for _, pair in mine])
        links[device] = f"{page.parent.name}/{page.name}"
    rows = [row for row, _ in found]
    stem = page_stem(file_stem(f"{name}-{'-'.join(device.name for device in fleet.devices)}"), "")
    page = _page(fleet, rows, store.root / "reports" / f"fleet-{stem}.html", links)
    kept = fleet.model_copy(update={"name": name, "page": page.name})
    store.write_record(store.root / "fleets" / f"{stem}.json", kept)
    index_store(store)
    return page if report_dir is None else _report_dir(fleet, rows, samples, report_dir)


def by_device(fleet: Fleet, found: list[tuple[Comparison, Pair]]) -> Mapping[str, list[tuple[Comparison, Pair]]]:
    """What each target that answered gave."""
    groups: dict[str, list[tuple[Comparison, Pair]]] = {}
    for device in fleet.devices:
        mine = [one for one in found if wording.place(one[0]) == device.name]
        groups |= {device.name: mine} if mine else {}
    return groups


def _page(fleet: Fleet, rows: list[Comparison], path: Path, links: Mapping[str, str]) -> Path:
    """The Markdown and the HTML of all targets; the path of the better one."""
    words = path.with_suffix(".md")
    Store(path.parent).write(words, render_fleet_markdown(fleet, rows).encode())
    try:
        Store(path.parent).write(path, render_fleet(fleet, rows, pages=links).encode())
    except RuntimeMissing:
        return words
    return path


def _report_dir(fleet: Fleet, rows: list[Comparison], samples: Samples | None, folder: Path) -> Path:
    """The files of a pipeline, under names that never change. Raises InputError."""
    links, entries = {}, []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for device in fleet.devices:
            mine = [row for row in rows if wording.place(row) == device.name]
            if mine:
                page = pages(mine, thumbnails(mine, samples), folder / f"target-{file_stem(device.name)}")
                links[device.name] = page.name
                entries.append(Entry("report.json", page.name, now(), tuple(mine)))
        texts = {"report.json": as_json(rows, fleet), "junit.xml": render_junit(rows, fleet)}
        for name, text in texts.items():
            Store(folder).write(folder / name, text.encode())
        page = _page(fleet, rows, folder / "report.html", links)
        if page.suffix == ".html":
            index = render_index(entries, title=f"{len(fleet.devices)} targets", home="report.html")
            Store(folder).write(folder / "index.html", index.encode())
    except OSError as error:
        hint = f"{error.strerror}; choose another --report-dir"
        raise InputError("the report folder cannot be used", seen=folder, hint=hint) from error
    return page

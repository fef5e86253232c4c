"""Keep a comparison and write what people and machines read: HTML, Markdown, JUnit, and the JSON behind them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edgeval.errors import InputError, RuntimeMissing
from edgeval.records.findings import Comparison
from edgeval.records.fleet import Fleet, worst_code
from edgeval.records.seal import sealed
from edgeval.report import judged, wording
from edgeval.report.html import render_html
from edgeval.report.index import Entry, render_index
from edgeval.report.junit import render_junit
from edgeval.report.markdown import render_markdown
from edgeval.store import Store
from edgeval.tasks.samples import Samples
from edgeval.workflow.index import index_store, page_stem, utc
from edgeval.workflow.kept import Tables, file_stem, pack_flipped, pack_pictures, thumbnails

SUFFIXES = (".html", ".md", ".xml", ".json")


def as_json(rows: Sequence[Comparison], fleet: Fleet | None = None) -> str:
    """One comparison as an object; several as a list under `rows`, with the status that counts for all of them.

    A fleet adds its `devices` and their `disagreement`.
    """
    body = [sealed(row.model_dump(mode="json", by_alias=True)) for row in rows]
    if len(rows) == 1 and fleet is None:
        return json.dumps(body[0], indent=1, allow_nan=False)
    whole: dict[str, Any] = {"schema": "edgeval/compare/1", "rows": body}
    status = judged.overall(rows)
    if status is not None:
        code = next(row.verdict.exit_code for row in rows if row.verdict and row.verdict.status == status)
        gap = fleet is not None and bool(fleet.gap)  # the whole is not judged where a part of it is missing
        code = worst_code((fleet.code, code)) if fleet is not None else code
        whole["verdict"] = {"status": "NO_VERDICT" if gap else status, "exit_code": code}
    if fleet is not None:
        told = fleet.model_dump(mode="json", include={"devices", "disagreement"})
        whole |= {"exit_code": worst_code((fleet.code, whole.get("verdict", {}).get("exit_code", 0))), **told}
    return json.dumps(whole, indent=1, allow_nan=False)


def keep(
    rows: Sequence[Comparison],
    samples: Samples | None,
    store: Store,
    name: str,
    *,
    report_dir: Path | None = None,
    tables: Tables = (),
) -> Path:
    """Write the comparison and its reports; the path of the page (Markdown where HTML cannot be made).

    tables: the aligned (reference, candidate) predictions of each row, of which the flipped rows are kept for a
    bundle. report_dir: gets report.html, report.md, report.json, junit.xml and index.html besides.
    """
    store.open()
    images, place = thumbnails(rows, samples), file_stem(wording.place(rows[0]))
    stem = file_stem(f"{name}-{place}")
    kept = store.root / "comparisons" / stem
    store.write(kept.with_name(f"{stem}.json"), as_json(rows).encode())
    store.write(kept.with_name(f"{stem}.images.npz"), pack_pictures(images))
    store.write(kept.with_name(f"{stem}.flipped.npz"), pack_flipped(rows, samples, tables))
    page = pages(rows, images, store.root / "reports" / place / page_stem(stem, place))
    index_store(store)
    return page if report_dir is None else _report_dir(rows, images, report_dir)


def render(path: Path, images: Mapping[str, bytes], rows: Sequence[Comparison]) -> None:
    """Write a report where the user asks for it, by its suffix: .html, .md, .xml (JUnit) or .json."""
    texts = {".md": render_markdown, ".xml": render_junit, ".json": as_json}
    make = texts.get(path.suffix)
    text = render_html(rows, images=images) if make is None else make(rows)
    Store(path.parent).write(path, text.encode())


def pages(rows: Sequence[Comparison], images: Mapping[str, bytes], stem: Path) -> Path:
    """Markdown, and HTML where it can be made; the path of the better one."""
    page = stem.with_name(f"{stem.name}.md")
    render(page, images, rows)
    try:
        html = stem.with_name(f"{stem.name}.html")
        render(html, images, rows)
    except RuntimeMissing:
        return page
    return html


def _report_dir(rows: Sequence[Comparison], images: Mapping[str, bytes], folder: Path) -> Path:
    """The files of a pipeline, under names that never change. Raises InputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        page = pages(rows, images, folder / "report")
        for name in ("report.json", "junit.xml"):
            render(folder / name, images, rows)
        if page.suffix == ".html":
            entry = Entry("report.json", page.name, now(), tuple(rows))
            Store(folder).write(folder / "index.html", render_index([entry], title=wording.place(rows[0])).encode())
    except OSError as error:
        hint = f"{error.strerror}; choose another --report-dir"
        raise InputError("the report folder cannot be used", seen=folder, hint=hint) from error
    return page


def now() -> str:
    return utc(datetime.now(UTC).timestamp())

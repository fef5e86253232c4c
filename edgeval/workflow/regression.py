"""Compare and score regression models: run or read both sides, keep the comparison, write what people read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from edgeval.compare.regress import RegressionContext, compare_values
from edgeval.compare.regression_score import score_values
from edgeval.errors import DataError, InputError, RuntimeMissing
from edgeval.gate.judge import EXIT, worst
from edgeval.records.cards import explain
from edgeval.records.fleet import DeviceState, worst_code
from edgeval.records.regression import RegressionComparison, RegressionEvidence, RegressionScore
from edgeval.records.reporter import Reporter
from edgeval.records.seal import sealed
from edgeval.records.values import Values, holds_values, read_values
from edgeval.report import wording
from edgeval.report.junit import render_junit
from edgeval.report.regression import render_markdown
from edgeval.report.regression_page import render_html
from edgeval.store import Store
from edgeval.tasks.cri3 import is_magnets, load_cri3
from edgeval.tasks.quantities import Quantities, load_quantities
from edgeval.workflow.accelerator import accelerator_notes
from edgeval.workflow.bench import bench_of, origin_notes
from edgeval.workflow.described import board_notes
from edgeval.workflow.index import index_store, page_stem
from edgeval.workflow.kept import file_stem, read_numbers
from edgeval.workflow.models import Setting, SideSpec, check_side, is_model, model_of, text_is_rung
from edgeval.workflow.numbers import run_values
from edgeval.workflow.run import preflight

Tolerance = tuple[float, ...] | None
MOST_JSON = 256_000_000  # bytes; what is larger is none of ours


def looks_like_regression(texts: list[str]) -> bool:
    """Whether one of the sides as typed is a saved table of a regression model."""
    return any(text.lower().endswith(".npz") and holds_values(Path(text)) for text in texts)


def compare_regression(
    sides: tuple[SideSpec, SideSpec], setting: Setting, tolerance: Tolerance, store: Store, reporter: Reporter
) -> RegressionEvidence:
    """The candidate on the target against the reference on the desktop, sample by sample."""
    for side in sides:
        check_side(side)
        if text_is_rung(side.text):
            hint = "give model files or tables with targets and values"
            raise InputError("the rungs of a ladder are classifiers", seen=side.text, hint=hint)
    reference, candidate = sides
    if any(is_model(side.text) for side in sides) and setting.data is None:
        hint = "add --data FILE.npz or FILE.csv"
        raise InputError("model files need data with measured numbers", seen=reference.text, hint=hint)
    if setting.target != "desktop" and is_model(candidate.text):
        with bench_of(setting, reporter) as bench:
            preflight(Path(candidate.text), bench)  # what cannot run is found before the reference has run
    data = None
    if setting.data is not None and is_magnets(setting.data) and setting.size is None:
        data = load_cri3(setting.data, "test")
    elif setting.data is not None:
        data = load_quantities(setting.data, size=setting.size, progress=reporter.bar("data", "images"))
    full = _table(reference, data, replace(setting, target="desktop", emulate=False, opened=None), store, reporter)
    small = _table(candidate, data, setting, store, reporter)
    notes = data.samples.notes if data else ()
    notes += origin_notes(small.source) + accelerator_notes(small.source) + board_notes(small.source)
    target = small.source.model_copy(update={"name": small.source.target or small.source.name})
    return compare_values(full, small, RegressionContext(tolerance, target, notes, setting.command))


def score_regression(path: Path, tolerance: Tolerance = None) -> RegressionScore:
    """Every measure of the regression table at `path`."""
    return score_values(read_values(path), tolerance=tolerance)


def keep_regression(row: RegressionComparison, store: Store, *, report_dir: Path | None = None) -> Path:
    """Write the comparison and its reports; the path of the page (Markdown where HTML cannot be made).

    report_dir: gets report.html, report.md, report.json and junit.xml besides. Raises InputError.
    """
    store.open()
    place = file_stem(wording.place(row))
    stem = file_stem(f"{row.reference.name}-against-{row.candidate.name}-{place}")
    store.write(store.root / "comparisons" / f"{stem}.json", as_json(row).encode())
    page = _pages(row, store.root / "reports" / place / page_stem(stem, place))
    index_store(store)
    if report_dir is None:
        return page
    try:
        report_dir.mkdir(parents=True, exist_ok=True)
        page = _pages(row, report_dir / "report")
        for name in ("report.json", "junit.xml"):
            render_regression(report_dir / name, row)
    except OSError as error:
        hint = f"{error.strerror}; choose another --report-dir"
        raise InputError("the report folder cannot be used", seen=report_dir, hint=hint) from error
    return page


def _pages(row: RegressionComparison, stem: Path) -> Path:
    """Markdown, and HTML where it can be made; the path of the better one."""
    pages = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".md", ".html")]
    render_regression(pages[0], row)
    try:
        render_regression(pages[1], row)
    except RuntimeMissing:
        return pages[0]
    return pages[1]


def as_json(row: RegressionComparison) -> str:
    """The comparison as JSON."""
    return json.dumps(sealed(row.model_dump(mode="json", by_alias=True)), indent=1, allow_nan=False)


def rows_as_json(rows: Sequence[RegressionComparison], states: Sequence[DeviceState] = ()) -> str:
    """One comparison as an object; several as a list under `rows`, with the status that counts for all of them.

    states: what became of each of several targets, under `devices`; where one is missing the whole is not judged.
    """
    if len(rows) == 1 and not states:
        return as_json(rows[0])
    whole: dict[str, Any] = {
        "schema": "edgeval/compare/1",
        "task": "regression",
        "rows": [json.loads(as_json(row)) for row in rows],
    }
    verdicts = [row.verdict for row in rows if row.verdict]
    if verdicts:
        status, missing = worst([verdict.status for verdict in verdicts]), worst_code(one.exit_code for one in states)
        code = worst_code((EXIT[status], missing))
        whole["verdict"] = {"status": "NO_VERDICT" if missing else status, "exit_code": code}
    if states:
        whole["devices"] = [one.model_dump(mode="json") for one in states]
    return json.dumps(whole, indent=1, allow_nan=False)


def read_regression(path: Path) -> RegressionComparison | None:
    """A kept comparison of regression models; None where the file is something else. Raises DataError."""
    try:
        body = json.loads(path.read_text(encoding="utf-8")) if path.stat().st_size <= MOST_JSON else None
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or body.get("task") != "regression":
        return None
    try:
        return read_numbers(path, body)
    except ValidationError as error:
        seen = explain(RegressionComparison, error)
        raise DataError(f"{path} is not a comparison", seen=seen, hint="give what edgeval compare wrote") from error


def render_regression(path: Path, row: RegressionComparison) -> None:
    """Write a report where the user asks for it, by its suffix: .html, .md, .xml (JUnit) or .json."""
    makers: dict[str, Callable[[RegressionComparison], str]] = {".md": render_markdown, ".json": as_json}
    makers[".xml"] = lambda found: render_junit([found])
    Store(path.parent).write(path, makers.get(path.suffix, render_html)(row).encode())


def _table(side: SideSpec, data: Quantities | None, setting: Setting, store: Store, reporter: Reporter) -> Values:
    """The numbers of one side."""
    path = Path(side.text)
    if not is_model(side.text):
        return read_values(path)
    assert data is not None
    with bench_of(setting, reporter) as bench:
        return run_values(model_of(side, path, reporter), data, bench, store, reporter)

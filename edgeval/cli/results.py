"""What compare and gate do with what they found: keep it, and show it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeval.cli import options
from edgeval.cli.pairs import Weighed

if TYPE_CHECKING:
    from edgeval.records.findings import Comparison
    from edgeval.store import Store


def keep_rows(found: Weighed, rows: list[Comparison], store: Store, report_dir: Path | None = None) -> Path:
    """Keep the comparisons and write their pages; the path of the page to read."""
    from edgeval.workflow.fleet_report import keep_fleet
    from edgeval.workflow.report import keep

    if found.fleet is None:
        return keep(rows, found.samples, store, found.name, report_dir=report_dir, tables=found.tables)
    both = list(zip(rows, found.tables, strict=True))
    return keep_fleet(found.fleet, both, found.samples, store, found.name, report_dir=report_dir)


def show_rows(found: Weighed, rows: list[Comparison], page: Path, json_to: str | None) -> int:
    """Print what was found, or write its JSON; the exit code of targets that did not answer."""
    from edgeval.report.fleet_text import render_fleet_text
    from edgeval.report.text import render_text
    from edgeval.workflow.report import as_json

    fleet = found.fleet
    text = render_text(rows, report=page) if fleet is None else render_fleet_text(fleet, rows, report=page)
    options.emit(text, lambda: as_json(rows, fleet), json_to)
    return 0 if fleet is None else fleet.code

"""What compare and gate do with what they found: keep it, and show it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeval.cli import options
from edgeval.cli.pairs import Weighed
from edgeval.cli.plain import echo

if TYPE_CHECKING:
    from edgeval.records.findings import Comparison
    from edgeval.store import Store


def keep_rows(found: Weighed, rows: list[Comparison], store: Store, report_dir: Path | None = None) -> Path:
    """Keep the comparisons and write their pages; the path of the page to read."""
    from edgeval.errors import InputError
    from edgeval.workflow.fleet_report import keep_fleet
    from edgeval.workflow.report import keep

    both = list(zip(rows, found.tables, strict=True))
    try:
        if found.fleet is None:
            return keep(rows, found.samples, store, found.name, report_dir=report_dir, tables=found.tables)
        return keep_fleet(found.fleet, both, found.samples, store, found.name, report_dir=report_dir)
    except (OSError, InputError):  # a full disk, a folder without rights: the figures are shown all the same
        echo(_text(found, rows, None))
        raise


def show_rows(found: Weighed, rows: list[Comparison], page: Path, json_to: str | None) -> int:
    """Print what was found, or write its JSON; the exit code of targets that did not answer."""
    from edgeval.workflow.report import as_json

    fleet = found.fleet
    options.emit(_text(found, rows, page), lambda: as_json(rows, fleet), json_to)
    return 0 if fleet is None else fleet.code


def _text(found: Weighed, rows: list[Comparison], page: Path | None) -> str:
    """The terminal's screen; without a page where none could be written."""
    from edgeval.report.fleet_text import render_fleet_text
    from edgeval.report.text import render_text

    fleet = found.fleet
    return render_text(rows, report=page) if fleet is None else render_fleet_text(fleet, rows, report=page)

"""The HTML report: one file that needs nothing else, for a screen, a phone or paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeval import __version__
from edgeval.errors import InputError, RuntimeMissing
from edgeval.records.findings import ClassDelta, Comparison
from edgeval.report import provenance, wording
from edgeval.report.gallery import Group, galleries

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
HINT = "pip install 'edgeval-toolkit[report]'"


def render_html(rows: Sequence[Comparison], *, images: Mapping[str, bytes]) -> str:
    """One self-contained page: an overview where there are several rows, then a section a row.

    rows: comparisons of one or more candidates, usually against the same reference; images: PNG bytes by sample id,
    shown for flipped samples. Raises RuntimeMissing without the `report` extra, InputError without a row.
    """
    if not rows:
        raise InputError("there is no comparison to report", hint="edgeval compare --target NAME")
    environment = _environment()
    sections = [
        _section(row, k, flips) for k, (row, flips) in enumerate(zip(rows, galleries(rows, images), strict=True))
    ]
    page = environment.get_template("page.html.j2")
    return page.render(
        sections=sections, rows=rows, overview=_overview(rows), names=wording.short_names(rows), version=__version__
    )


def _environment() -> Environment:
    """Jinja2 with escaping on, undefined names an error, and the wording of numbers as filters."""
    try:
        import jinja2
        import matplotlib  # noqa: F401  the charts need it, and are only drawn once all is known to be there
    except ImportError as error:
        raise RuntimeMissing("the HTML report needs the extra `report`", seen=error, hint=HINT) from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=wording.count,
        signed_count=wording.signed_count,
        percent=wording.percent,
        number=lambda number, digits=3: wording.DASH if number is None else f"{number:.{digits}f}",
        q=lambda q: wording.DASH if q is None else "< 0.001" if q < 0.001 else f"{q:.3f}",
        clean=wording.clean,
    )
    environment.globals.update(wording=wording)
    return environment


def _finalize(item: Any) -> Any:
    """What a template prints: no control characters, and never the word None."""
    if item is None:
        return wording.DASH
    return wording.visible(item) if type(item) is str else item


def _section(row: Comparison, index: int, flips: tuple[Group, Group]) -> dict[str, Any]:
    """Everything that the section of one row shows beside the row itself."""
    return {
        "id": f"row-{index + 1}",
        "row": row,
        "flips": flips,
        "charts": _charts(row, f"r{index + 1}"),
        "classes": _ranked(row.per_class),
        "columns": [name for name, _ in provenance.sides(row)],
        "facts": provenance.facts(row),
        "metrics": [(name, delta) for name, delta in row.metrics.items()],
    }


def _charts(row: Comparison, prefix: str) -> dict[str, Any]:
    """The pictures of a row by name; one that the row has no figures for is missing."""
    from markupsafe import Markup

    from edgeval.report import charts

    drawn = {}
    if row.overlap.jaccard is not None:
        drawn["errors"] = charts.error_sets(row, prefix=f"{prefix}e")
    if row.stages:
        drawn["stages"] = charts.waterfall(row, prefix=f"{prefix}s")
    if any(c.delta is not None for c in row.per_class):
        drawn["classes"] = charts.class_changes(row.per_class, prefix=f"{prefix}c")
    for side in ("reference", "candidate"):
        if bins := getattr(row.reliability, side):
            drawn[side] = charts.reliability(bins, name=f"the {side}", prefix=f"{prefix}{side[0]}")
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704  drawn here, every text in it escaped


def _overview(rows: Sequence[Comparison]) -> Any:
    """The chart over all rows, or nothing where there is one row only."""
    from markupsafe import Markup

    from edgeval.report import charts

    return Markup(charts.changes(rows, prefix="all")) if len(rows) > 1 else ""  # noqa: S704


def _ranked(classes: Sequence[ClassDelta]) -> list[ClassDelta]:
    """Sorted by change, the worst first; classes without a sample last."""
    return sorted(classes, key=lambda c: (c.delta is None, c.delta or 0.0, c.index))

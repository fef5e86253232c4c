"""The HTML report: one file that needs nothing else, for a screen, a phone or paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgeval.errors import InputError
from edgeval.records.findings import AnswerShare, ClassDelta, Comparison
from edgeval.report import floors, judged, provenance, wording
from edgeval.report.gallery import Group, galleries
from edgeval.report.pages import environment

MOST_CLASSES = 1_000


def render_html(rows: Sequence[Comparison], *, images: Mapping[str, bytes]) -> str:
    """One self-contained page: an overview where there are several rows, then a section a row.

    rows: comparisons of one or more candidates, usually against the same reference; images: PNG bytes by sample id,
    shown for flipped samples. Raises RuntimeMissing without the `report` extra, InputError without a row.
    """
    if not rows:
        raise InputError("there is no comparison to report", hint="edgeval compare --target NAME")
    page = environment().get_template("page.html.j2")
    sections = [
        _section(row, k, flips) for k, (row, flips) in enumerate(zip(rows, galleries(rows, images), strict=True))
    ]
    return page.render(
        sections=sections,
        rows=rows,
        overview=_overview(rows),
        names=wording.short_names(rows),
        status=judged.overall(rows),
        why=_why(rows),
    )


def _why(rows: Sequence[Comparison]) -> str:
    """How many candidates have the verdict of the whole."""
    status, found = judged.overall(rows), judged.verdicts(rows)
    mine = [verdict for verdict in found if verdict.status == status]
    words = f"{wording.count(len(mine))} of {wording.count(len(found))} candidates"
    return f"{words}: {judged.summary(mine[0])}" if len(mine) == 1 else f"{words}."


def _section(row: Comparison, index: int, flips: tuple[Group, Group]) -> dict[str, Any]:
    """Everything that the section of one row shows beside the row itself."""
    classes = _ranked(row.per_class)
    return {
        "id": f"row-{index + 1}",
        "row": row,
        "flips": flips,
        "charts": _charts(row, f"r{index + 1}"),
        "margins": _margins(row, f"r{index + 1}"),
        "moved": floors.moved(row),
        "floors": [said for said in (floors.kernel_sentence(row), floors.retraining_sentence(row)) if said],
        "classes": classes,
        "shown": _ends(classes, MOST_CLASSES),
        "answers": {share.index: share for share in row.answer_shares},
        "collapsed": _collapsed(row.answer_shares),
        "most_confused": max((abs(c.candidate - c.reference) for c in row.confusions), default=1) or 1,
        "stages": _stages(row),
        "parts": _parts(row),
        "columns": [name for name, _ in provenance.sides(row)],
        "facts": provenance.facts(row),
        "metrics": [(name, delta) for name, delta in row.metrics.items()],
    }


def _parts(row: Comparison) -> list[tuple[str, str]]:
    """Anchors of the parts that this row has, with their short names."""
    parts = {"rules": "Rules" if row.verdict else "", "stages": "Steps", "classes": "Classes"}
    parts |= {"confusions": "Confusions" if row.confusions else "", "confidence": "Confidence", "errors": "Errors"}
    parts |= {"flips": "Images", "metrics": "Measures", "notes": "Notes" if row.notes else "", "facts": "Provenance"}
    parts |= {"again": "Run again" if row.command else ""}
    return [(name, words) for name, words in parts.items() if words]


def _stages(row: Comparison) -> list[tuple[str, str]]:
    """The steps that shown flips are charged to, with how many are."""
    names = list(dict.fromkeys([s.name for s in row.stages] + sorted({f.stage for f in row.flipped})))
    charged = {s.name: f"{wording.count(s.charged_lost + s.charged_gained)} flips" for s in row.stages}
    there = {flip.stage for flip in row.flipped}
    return [(name, f"{name} ({charged[name]})" if name in charged else name) for name in names if name in there]


def _collapsed(shares: Sequence[AnswerShare]) -> list[AnswerShare]:
    """Collapsed classes, the most answered before first."""
    return sorted((share for share in shares if share.collapsed), key=lambda share: (-share.reference, share.index))


def _charts(row: Comparison, prefix: str) -> dict[str, Any]:
    """The pictures of a row by name; one that the row has no figures for is missing."""
    from markupsafe import Markup

    from edgeval.report import charts, margins

    drawn = {}
    if row.overlap.jaccard is not None:
        drawn["errors"] = charts.error_sets(row, prefix=f"{prefix}e")
    if row.stages:
        drawn["stages"] = charts.waterfall(row, prefix=f"{prefix}s")
    if any(c.delta is not None for c in row.per_class):
        drawn["classes"] = charts.class_changes(row.per_class, prefix=f"{prefix}c")
    if moved := floors.moved(row):
        spans = [margins.Span(m.name, m.low / max(1, m.n), m.high / max(1, m.n), m.floor) for m in moved]
        drawn["floors"] = margins.floors(spans, prefix=f"{prefix}f")
    for side in ("reference", "candidate"):
        if bins := getattr(row.reliability, side):
            drawn[side] = charts.reliability(bins, name=f"the {side}", prefix=f"{prefix}{side[0]}")
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704  drawn here, every text in it escaped


def _margins(row: Comparison, prefix: str) -> list[Any]:
    """One small picture a rule."""
    from markupsafe import Markup

    from edgeval.report.margins import margin

    rules = row.verdict.rules if row.verdict else ()
    return [Markup(margin(rule, prefix=f"{prefix}m{k}")) for k, rule in enumerate(rules)]  # noqa: S704


def _overview(rows: Sequence[Comparison]) -> Any:
    """The chart over all rows, or nothing where there is one row only."""
    from markupsafe import Markup

    from edgeval.report import charts

    return Markup(charts.changes(rows, prefix="all")) if len(rows) > 1 else ""  # noqa: S704


def _ranked(classes: Sequence[ClassDelta]) -> list[ClassDelta]:
    """Sorted by change, the worst first; classes without a sample last."""
    return sorted(classes, key=lambda c: (c.delta is None, c.delta or 0.0, c.index))


def _ends(classes: list[ClassDelta], most: int) -> list[ClassDelta]:
    """All classes, or of very many only those at both ends."""
    return classes if len(classes) <= most else classes[: most // 2] + classes[-(most // 2) :]

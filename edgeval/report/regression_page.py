"""The HTML report of two regression models: one file that needs nothing else."""

from __future__ import annotations

from typing import Any

from edgeval.records.regression import OutputDelta, RegressionComparison
from edgeval.report import provenance, regression
from edgeval.report.pages import environment

DRAWN = 6  # outputs with pictures, the worst first


def render_html(row: RegressionComparison) -> str:
    """One self-contained page. Raises RuntimeMissing without the `report` extra."""
    page = environment().get_template("regression.html.j2")
    sides: Any = row  # provenance reads reference, candidate and target, which both kinds of comparison have
    return page.render(
        row=row,
        id="row-1",
        sub="h2",
        words=regression,
        outputs=regression.worst_first(row),
        charts=[_charts(row, output, k) for k, output in enumerate(regression.worst_first(row)[:DRAWN])],
        section={"margins": _margins(row)},
        columns=[name for name, _ in provenance.sides(sides)],
        facts=provenance.facts(sides),
        status=row.verdict.status if row.verdict else None,
    )


def _charts(row: RegressionComparison, output: OutputDelta, k: int) -> dict[str, Any]:
    """The pictures of one output."""
    from markupsafe import Markup

    from edgeval.report.regression_charts import by_target, error_curve

    place = [o.name for o in row.per_output].index(output.name)
    tolerance = None if row.tolerance is None else row.tolerance[place]
    drawn = {"name": output.name, "curve": "", "bins": ""}
    if output.curve is not None:
        drawn["curve"] = error_curve(output.curve, name=f"output {place + 1}", tolerance=tolerance, prefix=f"o{k}c")
    if output.bins:
        drawn["bins"] = by_target(output.bins, name=f"output {place + 1}", prefix=f"o{k}b")
    # Drawn here, and no text of a file is in them.
    return {name: Markup(svg) if name != "name" else svg for name, svg in drawn.items()}  # noqa: S704


def _margins(row: RegressionComparison) -> list[Any]:
    """One small picture a rule."""
    from markupsafe import Markup

    from edgeval.report.margins import margin

    rules = row.verdict.rules if row.verdict else ()
    return [Markup(margin(rule, prefix=f"m{k}")) for k, rule in enumerate(rules)]  # noqa: S704

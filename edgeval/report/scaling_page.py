"""The page of a ladder as deployed: which rung to ship, the laws in one picture, and the damage of deployment."""

from __future__ import annotations

from collections.abc import Sequence

from edgeval.records.deployed import Deployed
from edgeval.records.laws import Law, SizePoint
from edgeval.records.scaling import Scaling
from edgeval.report import provenance, ship, wording
from edgeval.report.laws import FORMS
from edgeval.report.pages import environment


def render_scaling(scaling: Scaling) -> str:
    """One self-contained page. Raises RuntimeMissing without the `report` extra."""
    page = environment().get_template("scaling.html.j2")
    from markupsafe import Markup

    from edgeval.report.lawfigure import curves_of, law_figure

    figure = law_figure(curves_of(scaling), prefix="law")
    laws: Sequence[Law] = [scaling, *scaling.deployed]
    return page.render(
        title=scaling.name.removesuffix(", as trained"),
        found=scaling,
        laws=[{"law": law, "steps": _steps(law), "forms": _forms(law)} for law in laws],
        parts=[{"one": one, "answers": ship.answers(one), "arena": _arena(one)} for one in scaling.deployed],
        figure=Markup(figure),  # noqa: S704  drawn here, every text in it escaped
        notes=list(dict.fromkeys(note for law in laws for note in law.notes)),
        columns=[one.name for one in scaling.deployed],
        facts=provenance.facts_of([one.source for one in scaling.deployed]),
        ship=ship,
    )


def _arena(found: Deployed) -> bool:
    """Whether the tensor arena stands for memory."""
    return any(row.arena_kb is not None for row in found.rows)


def _steps(law: Law) -> list[tuple[SizePoint, str]]:
    """Each size with the exponent since the one before."""
    return list(zip(law.points, ["", *(f"{step.alpha:.3f}" for step in law.local)], strict=True))


def _forms(law: Law) -> list[tuple[str, str, str]]:
    """Each form of the law with its AICc."""
    return [
        (
            form.name,
            wording.DASH if form.aicc is None else f"{form.aicc:.1f}",
            FORMS[form.name].format(**form.parameters),
        )
        for form in law.models
    ]

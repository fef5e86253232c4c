"""The picture of a study: every law, as trained and as deployed, a colour a ladder."""

from __future__ import annotations

from edgeval.records.scaling import Scaling
from edgeval.records.study import Study
from edgeval.report.lawfigure import Curve, curves_of, law_figure
from edgeval.report.svg import GAINED, INK, LOST, MUTED

COLORS = (INK, GAINED, LOST, MUTED)


def study_figure(study: Study) -> str:
    """One <svg>; empty where a study has too few sizes for a law."""
    curves: list[Curve] = []
    for number, law in enumerate(study.laws):
        ladder = law.name.partition(",")[0]
        mine = tuple(one for one in study.deployed if one.name.startswith(f"{ladder},"))
        scaling = Scaling(**law.model_dump(), deployed=mine)
        short = ladder.partition("-")[0] if len(study.laws) > 1 else ""
        curves += curves_of(scaling, color=COLORS[number % len(COLORS)], name=short)
    return law_figure(curves, prefix="study") if curves else ""

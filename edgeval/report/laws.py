"""What a terminal shows of a ladder: which rung to ship, and the laws of error against size."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from edgeval.records.deployed import Deployed
from edgeval.records.laws import Law, LawForm
from edgeval.records.scaling import Scaling
from edgeval.report import ship, wording
from edgeval.report.text import ASCII

FORMS = {
    "power": "error = {c:.4g} N^-{alpha:.3f}",
    "saturating": "error = {floor:.4g} + {a:.4g} N^-{alpha:.3f}",
    "broken": "N^-{alpha:.3f} up to {break:,.0f} parameters, N^-{alpha_after:.3f} beyond",
}


def render_laws(scaling: Scaling, *, note: str = "") -> str:
    """Which rung to ship first, then each law, as trained first; plain text within 80 columns.

    note: the last line, where the page lies or why there is none.
    """
    blocks = [_ship(found) for found in scaling.deployed]
    blocks += ["\n".join(_law(law)) for law in (scaling, *scaling.deployed)]
    return "\n\n".join([*blocks, *([note] if note else [])]).translate(ASCII)


def _ship(found: Deployed) -> str:
    """The answers and tables of one format on one target."""
    lines = [
        *ship.wrapped([f"{wording.clean(found.name, 120)}: which rung to ship"]),
        *ship.wrapped(ship.answers(found)),
        "",
        *ship.ship_table(found),
    ]
    damage = list(ship.damage_table(found))
    return "\n".join([*lines, "", "  Deployed against each rung's own float network", *damage] if damage[1:] else lines)


def _law(law: Law) -> Iterator[str]:
    alpha = law.alpha
    yield from ship.wrapped([wording.clean(law.name, 120)])
    way = "falls" if alpha.value >= 0 else "RISES"
    yield f"  error {way} as N^{-alpha.value:.4f}, over {law.n_points} sizes, R2 = {law.r2:.3f}"
    yield f"  regression: standard error {alpha.se:.4f}, 95% {alpha.ci95[0]:.4f} to {alpha.ci95[1]:.4f}"
    if alpha.over_seeds:
        low, high = alpha.over_seeds.ci95
        yield f"  over seeds: standard deviation {alpha.over_seeds.sd:.4f}, {low:.4f} to {high:.4f} (approximate)"
    yield ""
    yield f"  {'size':<14}{'parameters':>12}{'error':>10}{'seeds':>7}   alpha since the size before"
    local = [None, *law.local]
    for point, step in zip(law.points, local, strict=True):
        slope = "" if step is None else f"{step.alpha:>11.3f}"
        name = wording.clean(point.name, 13)
        yield f"  {name:<14}{point.params:>12,}{point.error:>10.4g}{point.seeds:>7}{slope}".rstrip()
    yield ""
    for form in law.models:
        yield f"  {form.name:<11} {_aicc(form):<13} {FORMS[form.name].format(**form.parameters).replace('N^--', 'N^')}"
    for note in law.notes:
        yield from textwrap.wrap(f"  Note: {wording.clean(note, 400)}", 80, subsequent_indent="    ")


def _aicc(form: LawForm) -> str:
    """The figure by which forms are compared; the lower the better."""
    return "AICc -" if form.aicc is None else f"AICc {form.aicc:.1f}"

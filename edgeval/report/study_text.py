"""A study on a terminal: claim by claim, the laws, and where the rest is."""

from __future__ import annotations

from pathlib import Path

from edgeval.records.study import Study
from edgeval.report import ship, wording
from edgeval.report.claims import claim_lines, wrapped
from edgeval.report.study import summary
from edgeval.report.text import ASCII


def render_study_text(study: Study, page: Path | None) -> str:
    """Plain text within 80 columns."""
    lines = [*wrapped(summary(study)), ""]
    for claim in study.claims:
        lines += claim_lines(claim)
    for law in (*study.laws, *study.deployed):
        low, high = law.alpha.ci95
        lines += wrapped(
            f"{law.name}: alpha {law.alpha.value:.4f}, 95% of the regression {low:.4f} to {high:.4f}", "  "
        )
    for law in study.deployed:
        lines += ["", wording.clean(law.name, 78)]
        lines += [line for said in ship.answers(law) for line in wrapped(said, "  ")]
    for note in study.notes:
        lines += wrapped(f"Note: {note}", "  ")
    if page is not None:
        lines += ["", f"report: {wording.visible(str(page))}"]
    return "\n".join(lines).translate(ASCII)

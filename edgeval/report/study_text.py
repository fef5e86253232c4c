"""A study on a terminal: claim by claim, the laws, and where the rest is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from edgeval.records.study import Claim, Study
from edgeval.report import ship, wording
from edgeval.report.study import summary
from edgeval.report.text import ASCII

WIDTH = 80


def render_study_text(study: Study, page: Path | None) -> str:
    """Plain text within 80 columns."""
    lines = [*wrapped(summary(study)), ""]
    for claim in study.claims:
        lines += _claim(claim)
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


def _claim(claim: Claim) -> Iterator[str]:
    """What is claimed, what it rests on there and here, and how the two stand."""
    yield from wrapped(f"{claim.number}. {claim.text}", "", "   ")
    yield from wrapped(f"the paper  {claim.paper}", "   ", " " * 14)
    if claim.ours:
        yield from wrapped(f"here       {claim.ours}", "   ", " " * 14)
    note = f" ({claim.note})" if claim.note else ""
    yield from wrapped(f"{claim.standing.upper()}{note}", "   ", "   ")
    yield ""


def wrapped(text: str, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of at most 80 columns."""
    later = first if rest is None else rest
    return textwrap.wrap(wording.clean(text, 600), WIDTH, initial_indent=first, subsequent_indent=later)

"""A paper's claims beside what was found here: as a table, and on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from edgeval.records.study import Claim
from edgeval.report import wording
from edgeval.report.blocks import Table
from edgeval.report.text import ASCII

WIDTH = 80


def claims_table(claims: Sequence[Claim], caption: str) -> Table:
    """Claim by claim."""
    rows = [
        (f"{c.number}. {c.text}", c.paper, c.ours or wording.DASH, c.standing, c.note or wording.DASH) for c in claims
    ]
    return Table(("Claim", "The paper", "Here", "Standing", "Remark"), tuple(rows), caption, words=5)


def claim_lines(claim: Claim) -> Iterator[str]:
    """What is claimed, what it rests on there and here, and how the two stand."""
    yield from wrapped(f"{claim.number}. {claim.text}", "", "   ")
    yield from wrapped(f"the paper  {claim.paper}", "   ", " " * 14)
    if claim.ours:
        yield from wrapped(f"here       {claim.ours}", "   ", " " * 14)
    note = f" ({claim.note})" if claim.note else ""
    yield from wrapped(f"{claim.standing.upper()}{note}", "   ", "   ")
    yield ""


def wrapped(text: str, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of at most 80 columns; dashes, arrows and the like in ASCII."""
    later = first if rest is None else rest
    plain = wording.clean(text, 600).translate(ASCII)  # before it is cut into lines: it may grow
    return textwrap.wrap(plain, WIDTH, initial_indent=first, subsequent_indent=later)

"""A study of regressors as blocks: claims first, then sizes, laws, baselines, and everything as deployed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeval.records.deep_regression import DeepRegression, SizeErrors
from edgeval.report import wording
from edgeval.report.blocks import Block, Heading, Table, Text, known_columns
from edgeval.report.claims import claims_table
from edgeval.report.deep.baselines import baseline_blocks
from edgeval.report.deep.budget import budget_blocks
from edgeval.report.deep.deployed import deployed_blocks
from edgeval.report.deep.floor import floor_blocks
from edgeval.report.deep.laws import deployed_law_blocks, law_blocks
from edgeval.report.deep.units import unit_blocks
from edgeval.report.deep.wording import error, number, output, trained

CLAIMS = "Claims of arXiv 2509.10000, as far as its public pages tell them, beside what was found here"
UNIT = (
    "Every output is measured in the range that it was drawn from: an MSE of 1e-4 is an error of 1% of the range, as a"
    " root mean square. An MSE is the geometric mean over seeds."
)


def deep_blocks(found: DeepRegression) -> Iterator[Block]:
    """The whole report."""
    yield Text(deep_summary(found))
    for note in found.notes:
        yield Text(note[:1].upper() + note[1:] + ("" if note.endswith(".") else "."))
    if found.claims:
        yield Heading("The paper's claims")
        yield claims_table(found.claims, CLAIMS)
    if found.checks:
        yield Heading("The study's own conditions")
        yield _checks(found)
    yield from _trained(found)
    yield from law_blocks(found)
    yield from baseline_blocks(found)
    yield from budget_blocks(found)
    yield from deployed_blocks(found)
    yield from deployed_law_blocks(found)
    yield from floor_blocks(found)


def deep_summary(found: DeepRegression) -> str:
    """What the study rests on, in a sentence."""
    rows = trained(found)
    total = sum(len(row.seeds) for row in rows)
    networks = f"{total} network{'s' * (total != 1)}"
    sizes = f"{len(rows)} sizes" if len(rows) != 1 else "one size"
    nets = ", ".join(wording.clean(net, 30) for net in dict.fromkeys(row.net for row in rows))
    outputs = ", ".join(wording.clean(name, 30) for name in found.outputs)
    of = f" ({nets})" if nets else ""
    protocols = f", protocol {', '.join(found.protocols)}" if found.protocols else ""
    return f"{networks} of {sizes}{of}{protocols}; they learn {outputs}; {wording.count(found.n)} test images."


def _checks(found: DeepRegression) -> Table:
    """What keeps a trivial regressor out."""
    body = tuple((check.text, "yes" if check.holds else "NO", check.seen or wording.DASH) for check in found.checks)
    return Table(("Condition", "Holds", "Seen"), body, "What keeps a trivial regressor out", words=3)


def _trained(found: DeepRegression) -> Iterator[Block]:
    """Every size of every network as trained."""
    rows = trained(found)
    if not rows:
        return
    yield Heading("As trained")
    yield Text(UNIT)
    for net in dict.fromkeys(row.net for row in rows):
        mine = [row for row in rows if row.net == net]
        yield Heading(net, 3)
        yield _errors(mine, found.outputs)
        yield _worst(mine, found)
    yield from unit_blocks(found)


def _errors(rows: Sequence[SizeErrors], outputs: Sequence[str]) -> Table:
    """MSE and R2 of each output."""
    body = []
    for row in rows:
        there = [output(row, name) for name in outputs]
        body.append(
            (
                row.rung,
                wording.count(row.images),
                wording.count(row.params),
                str(len(row.seeds)),
                ", ".join(f"{rate:g}" for rate in sorted(set(row.rates))) or wording.DASH,
                *(error(one.mse) if one else wording.DASH for one in there),
                *(number(one.r2, 5) if one else wording.DASH for one in there),
            )
        )
    head = ("Size", "Images", "Parameters", "Seeds", "Rate", *(f"MSE, {name}" for name in outputs))
    caption = "MSE and R2 (a mean over seeds) of each output; rates were picked on validation"
    return known_columns(Table((*head, *(f"R2, {name}" for name in outputs)), tuple(body), caption))


def _worst(rows: Sequence[SizeErrors], found: DeepRegression) -> Table:
    """How far answers lie off in the worst cases."""
    body = []
    for row in rows:
        cells = [row.rung]
        for name in found.outputs:
            one = output(row, name)
            cells += [number(one.p95, 4), number(one.max_abs, 3)] if one else [wording.DASH] * 2
            cells += [wording.percent(one.within, 1)] if one else [wording.DASH]
        body.append(tuple(cells))
    head = ["Size"]
    for name in found.outputs:
        head += [f"{name}: 95% within", "Largest", "In the band"]
    bands = ", ".join(f"{name} ± {band:g}" for name, band in zip(found.outputs, found.band, strict=False))
    caption = (
        "Errors without their sign, means over seeds: what 95% of the samples stay within, the largest, and the share"
        f" in the band ({bands})"
    )
    return known_columns(Table(tuple(head), tuple(body), caption))

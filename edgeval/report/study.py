"""A study as blocks: claims first, then sizes, laws, error sets, classes, and everything as deployed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeval.records.artifact import TORCH
from edgeval.records.laws import Law
from edgeval.records.papers import tiny_regime
from edgeval.records.study import ClassRow, PairRow, SizeRow, Spread, Study
from edgeval.report import wording
from edgeval.report.blocks import Block, Heading, Table, Text, known_columns
from edgeval.report.claims import claims_table
from edgeval.report.study_deployed import deployed_blocks

ENDS = 8  # classes that are shown at either end
CLAIMS = "Claims of arXiv 2603.07365, and where said of its authors' follow-up, beside what was found here"


def study_blocks(study: Study) -> Iterator[Block]:
    """The whole report."""
    yield Text(summary(study))
    for note in study.notes:
        yield Text(note[:1].upper() + note[1:] + ".")
    if study.claims:
        yield Heading("The paper's claims")
        yield claims_table(study.claims, CLAIMS)
    torch = [row for row in study.rows if row.format == TORCH]
    yield Heading("As trained")
    for ladder in dict.fromkeys(row.ladder for row in torch):
        mine = [row for row in torch if row.ladder == ladder]
        yield Heading(ladder, 3)
        yield _sizes(mine)
        yield _confidence(mine)
    yield from _laws(study.laws)
    yield from _pairs(study.pairs)
    yield from _classes(study.classes)
    yield from deployed_blocks(study)


def summary(study: Study) -> str:
    """What the study rests on, in a sentence."""
    torch = [row for row in study.rows if row.format == TORCH]
    total = sum(len(row.seeds) for row in torch)
    networks = f"{total} network{'s' * (total != 1)}"
    sizes = f"{len(torch)} sizes" if len(torch) != 1 else "one size"
    return f"{networks} of {sizes}, protocol {', '.join(study.protocols)}; {wording.count(study.n)} test images."


def _sizes(rows: Sequence[SizeRow]) -> Table:
    """Accuracy of each size, with the paper's beside it."""
    body = []
    for row in rows:
        paper = tiny_regime.size(row.ladder, row.rung)
        body.append(
            (
                row.rung,
                wording.count(row.params),
                str(len(row.seeds)),
                shares(row.top1),
                wording.percent(paper.top1) if paper else wording.DASH,
                shares(row.top5),
                f"{row.gini:.4f}",
                f"{paper.gini:.4f}" if paper else wording.DASH,
                wording.percent(row.bottom5),
                wording.percent(paper.bottom5) if paper else wording.DASH,
                wording.percent(row.bottom10),
                wording.percent(row.bottom20),
                plain(row.gini_single, 4),
                shares(row.bottom5_single),
            )
        )
    head: tuple[str, ...] = (
        "Size",
        "Parameters",
        "Seeds",
        "Top-1",
        "Paper",
        "Top-5",
        "Gini",
        "Paper",
        "Bottom-5",
        "Paper",
    )
    head += ("Bottom-10", "Bottom-20", "Gini, one checkpoint", "Bottom-5, one checkpoint")
    caption = (
        "Means over seeds ± standard deviation (ddof 0). Gini and bottom-k are of the class accuracies averaged over"
        " seeds; the last two columns are the means of what single checkpoints give"
    )
    return known_columns(Table(head, tuple(body), caption))


def _confidence(rows: Sequence[SizeRow]) -> Table:
    """Calibration of each size."""
    body = []
    for row in rows:
        paper = tiny_regime.size(row.ladder, row.rung)
        body.append(
            (
                row.rung,
                plain(row.ece, 4),
                f"{paper.ece:.4f}" if paper else wording.DASH,
                plain(row.nll),
                plain(row.brier),
                plain(row.temperature),
                plain(row.ece_before, 4),
                plain(row.ece_after, 4),
            )
        )
    head = ("Size", "ECE", "Paper", "NLL", "Brier", "Temperature", "ECE before", "ECE after")
    caption = "Calibration; the temperature is fitted on 30% of the test images, ECE before and after is of the others"
    return known_columns(Table(head, tuple(body), caption))


def _laws(laws: Sequence[Law]) -> Iterator[Block]:
    """Exponents with both intervals, the paper's beside them, and the exponents between neighbours."""
    if not laws:
        return
    yield Heading("Laws of error against size")
    body = []
    for law in laws:
        over = law.alpha.over_seeds
        best = law.models[0]
        body.append(
            (
                law.name,
                str(law.n_points),
                f"{law.alpha.value:.4f}",
                f"{law.alpha.se:.4f}",
                span(law.alpha.ci95),
                f"{over.sd:.4f}" if over else wording.DASH,
                span(over.ci95) if over else wording.DASH,
                f"{law.r2:.4f}",
                f"{best.name} ({best.aicc:.1f})" if best.aicc is not None else wording.DASH,
            )
        )
    head: tuple[str, ...] = ("Law", "Sizes", "alpha", "SE", "95%, regression")
    head += ("SD over seeds", "Over seeds, approximate", "R2", "Best by AICc")
    yield Table(head, tuple(body), "error = c N^-alpha, ordinary least squares of logarithms of seed means")
    yield Table(("Law", "From", "To", "alpha between"), tuple(_local(laws)), "Exponents between neighbouring sizes")


def _local(laws: Sequence[Law]) -> Iterator[tuple[str, ...]]:
    for law in laws:
        names = {point.params: point.name for point in law.points}
        for step in law.local:
            yield law.name, names[step.params_from], names[step.params_to], f"{step.alpha:.3f}"


def _pairs(pairs: Sequence[PairRow]) -> Iterator[Block]:
    """Error sets within each ladder, the re-training floor, and across ladders."""
    if not pairs:
        return
    yield Heading("Which errors are shared")
    yield Text(
        "J is the Jaccard index of two error sets. It cannot exceed the ratio of the two error counts, and would be as"
        " given under independence. The same size against itself, with another seed, is the floor that training again"
        " alone sets."
    )
    titles = {"re-training": "The same size, other seeds", "within": "Sizes of one ladder", "across": "Two ladders"}
    for kind, title in titles.items():
        mine = [pair for pair in pairs if pair.kind == kind]
        if mine:
            head: tuple[str, ...] = (
                "Smaller",
                "Larger",
                "Seed pairs",
                "J",
                "J at most",
                "J independent",
                "Paper's J, seed 0",
            )
            head += ("Larger's errors kept", "Lost", "Gained")
            yield Table(head, tuple(_pair(pair) for pair in mine), title, words=2)


def _pair(pair: PairRow) -> tuple[str, ...]:
    ladder, _, small = pair.one.partition(":")
    other, _, large = pair.other.partition(":")
    paper = tiny_regime.overlap(ladder, small, large) if ladder == other and small != large else None
    names = (small, large) if ladder == other else (pair.one, pair.other)
    return (
        *names,
        str(pair.jaccard.n),
        plain(pair.jaccard),
        f"{pair.jaccard_max:.3f}",
        f"{pair.jaccard_independent:.3f}",
        wording.DASH if paper is None else f"{paper:.3f}",
        wording.percent(pair.kept, 1),
        wording.percent(pair.lost.mean),
        wording.percent(pair.gained.mean),
    )


def _classes(classes: Sequence[ClassRow]) -> Iterator[Block]:
    """The classes that gain least and most from size."""
    for ladder in dict.fromkeys(row.ladder for row in classes):
        mine = [row for row in classes if row.ladder == ladder]
        shown = mine if len(mine) <= 2 * ENDS else [*mine[:ENDS], *mine[-ENDS:]]
        yield Heading(f"Classes that gain least and most from size, {ladder}", 3)
        body = tuple(
            (
                row.name,
                wording.percent(row.small, 1),
                wording.percent(row.large, 1),
                wording.points(row.delta),
                wording.DASH if row.sd is None else f"{100 * row.sd:.1f}",
            )
            for row in shown
        )
        yield known_columns(Table(("Class", "Smallest", "Largest", "Change", "SD over seeds, pt"), body))


def shares(spread: Spread | None) -> str:
    """A share with its spread, in percent."""
    if spread is None:
        return wording.DASH
    return wording.percent(spread.mean) + (f" ± {100 * spread.sd:.2f}" if spread.n > 1 else "")


def plain(spread: Spread | None, digits: int = 3) -> str:
    """A number with its spread."""
    if spread is None:
        return wording.DASH
    return f"{spread.mean:.{digits}f}" + (f" ± {spread.sd:.{digits}f}" if spread.n > 1 else "")


def span(ends: tuple[float, float]) -> str:
    """An interval of exponents."""
    return f"{ends[0]:.4f} to {ends[1]:.4f}".replace("-", wording.MINUS)

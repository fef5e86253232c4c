"""The paper's own published figures, put through the same analysis."""

from __future__ import annotations

from itertools import combinations

from edgeval.compare.laws import law
from edgeval.compare.study.claims import claims
from edgeval.records.artifact import TORCH
from edgeval.records.papers import tiny_regime
from edgeval.records.papers.tiny_regime import PublishedSize
from edgeval.records.study import Claim, PairRow, SizeRow, Spread, Standing, Study

SOURCE = "published means over five seeds (Jaccard indices: seed 0); nothing was trained here"
TEST_IMAGES = 10_000
FITTED: dict[Standing, Standing] = {"confirmed": "follows", "not confirmed": "does not follow"}


def published_study() -> Study:
    """Laws and claims recomputed from the published table: does what the paper says follow from its figures?"""
    rows = [_row(published) for published in tiny_regime.sizes()]
    ladders = {name: [row for row in tiny_regime.sizes() if row.ladder == name] for name in tiny_regime.LADDERS}
    laws = [
        law(f"{name}, as published", {r.params: [r.error] for r in mine}, names={r.params: r.rung for r in mine})
        for name, mine in ladders.items()
    ]
    pairs = [pair for mine in ladders.values() for one, other in combinations(mine, 2) for pair in _pair(one, other)]
    return Study(
        name="tiny-regime",
        protocols=(tiny_regime.PROTOCOL,),
        n=TEST_IMAGES,
        rows=tuple(rows),
        laws=tuple(laws),
        pairs=tuple(pairs),
        deployed=(),
        flips=(),
        classes=(),
        claims=tuple(_own(claim) for claim in claims(rows, laws, pairs)),
        notes=(SOURCE,),
    )


def _own(claim: Claim) -> Claim:
    """A claim beside the very figures that it was made of: they may imply it, but do not confirm it."""
    standing = FITTED[claim.standing] if claim.fitted else "as published"
    return claim.model_copy(update={"standing": standing})


def _row(row: PublishedSize) -> SizeRow:
    return SizeRow(
        ladder=row.ladder,
        rung=row.rung,
        params=row.params,
        format=TORCH,
        target="published",
        origin="imported",
        protocol=tiny_regime.PROTOCOL,
        seeds=tiny_regime.SEEDS,
        top1=Spread(mean=row.top1, sd=row.top1_sd, n=5),
        ece=Spread(mean=row.ece, sd=row.ece_sd, n=5),
        top5=Spread(mean=row.top5, sd=0.0, n=1),
        gini=row.gini,
        bottom5=row.bottom5,
        bottom10=row.bottom10,
        bottom20=row.bottom20,
    )


def _pair(small: PublishedSize, large: PublishedSize) -> list[PairRow]:
    """One pair of widths; shares of kept, lost and gained errors follow from J and the two error rates."""
    found = tiny_regime.overlap(small.ladder, small.rung, large.rung)
    if found is None:
        return []
    a, b = small.error, large.error
    both = found * (a + b) / (1 + found)
    return [
        PairRow(
            one=f"{small.ladder}:{small.rung}",
            other=f"{large.ladder}:{large.rung}",
            kind="within",
            jaccard=Spread(mean=found, sd=0.0, n=1),
            jaccard_max=min(a, b) / max(a, b),
            jaccard_independent=a * b / (a + b - a * b),
            lost=Spread(mean=a - both, sd=0.0, n=1),
            gained=Spread(mean=b - both, sd=0.0, n=1),
            kept=both / b,
        )
    ]

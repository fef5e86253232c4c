"""Which errors rungs have in common, over all pairs of their seeds; and what training again alone would change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.study.sizes import spread
from edgeval.measures.overlap import jaccard_pairs, shared_errors
from edgeval.records.answers import Answers
from edgeval.records.study import PairRow


@dataclass(frozen=True)
class Seeds:
    """A rung and the positions of its seeds among the answers."""

    ladder: str
    rung: str
    params: int
    at: Sequence[int]

    @property
    def name(self) -> str:
        return f"{self.ladder}:{self.rung}"


def pair_rows(answers: Answers, rungs: Sequence[Seeds]) -> list[PairRow]:
    """One row a pair of rungs, the same rung twice among them where it has several seeds."""
    wrong = ~answers.correct
    tables = jaccard_pairs(wrong), shared_errors(wrong)
    ordered = sorted(rungs, key=lambda seeds: (seeds.ladder, seeds.params))
    found = []
    for one, other in combinations_with_replacement(ordered, 2):
        small, large = (one, other) if one.params <= other.params else (other, one)
        at = list(combinations(small.at, 2)) if small is large else list(product(small.at, large.at))
        if at:
            found.append(_row(small, large, np.array(at), tables, wrong.shape[1]))
    return found


def _row(
    small: Seeds,
    large: Seeds,
    at: NDArray[np.int64],
    tables: tuple[NDArray[np.float64], NDArray[np.float64]],
    n: int,
) -> PairRow:
    """The row of two rungs; at: (P, 2) positions of the pairs."""
    jaccard, shared = tables
    i, j = at[:, 0], at[:, 1]
    both, of_small, of_large = shared[i, j], shared[i, i], shared[j, j]
    a, b = of_small / n, of_large / n
    most = np.minimum(a, b) / np.maximum(np.maximum(a, b), 1 / n)
    chance = a * b / np.maximum(a + b - a * b, 1 / n**2)
    return PairRow(
        one=small.name,
        other=large.name,
        kind=_kind(small, large),
        jaccard=spread(jaccard[i, j].tolist()),
        jaccard_max=float(most.mean()),
        jaccard_independent=float(chance.mean()),
        lost=spread(((of_small - both) / n).tolist()),
        gained=spread(((of_large - both) / n).tolist()),
        kept=float((both / np.maximum(of_large, 1)).mean()),
    )


def _kind(small: Seeds, large: Seeds) -> Literal["re-training", "within", "across"]:
    if small is large:
        return "re-training"
    return "within" if small.ladder == large.ladder else "across"

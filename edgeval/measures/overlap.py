"""Two error sets: how much they share, and how much they could."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
EXACT_FLOATS = 1_000_000


@dataclass(frozen=True)
class FlipCounts:
    """Paired correctness: lost = right in the reference and wrong in the candidate, gained the reverse."""

    both_right: int
    lost: int
    gained: int
    both_wrong: int

    @property
    def n(self) -> int:
        return self.both_right + self.lost + self.gained + self.both_wrong


def flips(reference: Bools, candidate: Bools) -> FlipCounts:
    """The 2 x 2 table of two (N,) correctness vectors."""
    return FlipCounts(
        int((reference & candidate).sum()),
        int((reference & ~candidate).sum()),
        int((~reference & candidate).sum()),
        int((~reference & ~candidate).sum()),
    )


def jaccard(table: FlipCounts) -> float | None:
    """|A and B| / |A or B| of the error sets; None where neither side errs."""
    union = table.lost + table.gained + table.both_wrong
    return table.both_wrong / union if union else None


def jaccard_max(table: FlipCounts) -> float | None:
    """Largest Jaccard that two error sets of these sizes can have: smaller / larger."""
    a, b = table.both_wrong + table.gained, table.both_wrong + table.lost
    return min(a, b) / max(a, b) if max(a, b) else None


def jaccard_independent(table: FlipCounts) -> float | None:
    """Jaccard of two independent error sets with these error rates a, b: ab / (a + b - ab)."""
    a, b = (table.both_wrong + table.gained) / table.n, (table.both_wrong + table.lost) / table.n
    return a * b / (a + b - a * b) if a + b > 0 else None


def jaccard_pairs(wrong: Bools) -> NDArray[np.float64]:
    """(M, M) Jaccard of the error sets of M models, (M, N) bool; 1 where neither of two models errs.

    |A and B| counts the bits in common, 64 samples a word.
    """
    both = shared_errors(wrong)
    errors = np.diagonal(both)
    union = errors[:, None] + errors[None, :] - both
    return np.divide(both, union, out=np.ones_like(both), where=union > 0)


def shared_errors(wrong: Bools) -> NDArray[np.float64]:
    """(M, M) sizes of the intersections of all error sets, on the diagonal of the sets themselves; wrong: (M, N).

    numpy before 2.0 cannot count bits: there they are one matrix product, in blocks within which float32 is exact.
    """
    both = np.zeros((len(wrong), len(wrong)))
    if hasattr(np, "bitwise_count"):
        packed = np.packbits(wrong, axis=1)
        words = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8))).view(np.uint64)
        for i, row in enumerate(words):
            both[i, i:] = np.bitwise_count(words[i:] & row).sum(axis=1, dtype=np.int64)
        return np.asarray(np.maximum(both, both.T))
    for start in range(0, wrong.shape[1], EXACT_FLOATS):
        block = wrong[:, start : start + EXACT_FLOATS].astype(np.float32)
        both += block @ block.T
    return both

"""How often each class is answered, right or wrong: a class that a small model never answers any more shows here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.measures.paired import Floats, benjamini_hochberg, mcnemar_each

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
COLLAPSED_SHARE = 0.2
COLLAPSED_Q = 0.01


@dataclass(frozen=True)
class AnswerShares:
    """Share of the answers that name each class, on both sides; each (C,).

    p: exact McNemar of "this class before, another now" against the reverse, on the same samples; q: the same, adjusted
    by Benjamini and Hochberg over all classes. collapsed: the candidate answers this class less than a fifth as often
    as the reference does (never, say), and q <= 0.01.
    """

    reference: Floats
    candidate: Floats
    p: Floats
    q: Floats
    collapsed: Bools


def answer_shares(reference: Ints, candidate: Ints, classes: int) -> AnswerShares:
    """Compare the (N,) answered classes of both sides, N >= 1, each 0 <= answer < classes."""
    moved = reference != candidate
    gone = np.bincount(reference[moved], minlength=classes)
    come = np.bincount(candidate[moved], minlength=classes)
    before, now = np.bincount(reference, minlength=classes), np.bincount(candidate, minlength=classes)
    p = mcnemar_each(gone, come)
    q = benjamini_hochberg(p)
    collapsed = (now < COLLAPSED_SHARE * before) & (q <= COLLAPSED_Q)
    return AnswerShares(before / len(reference), now / len(reference), p, q, collapsed)

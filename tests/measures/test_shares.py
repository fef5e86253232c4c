"""A class that is answered no more is found; noise is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from edgeval.measures.shares import answer_shares


def test_a_class_that_is_never_answered_any_more_has_collapsed() -> None:
    before = np.random.default_rng(0).integers(0, 10, 1000)
    now = np.where(before == 4, 5, before)
    found = answer_shares(before, now, 11)
    gone = int((before == 4).sum())
    assert found.collapsed.nonzero()[0].tolist() == [4]
    assert (found.reference[4], found.candidate[4]) == (gone / 1000, 0)
    assert found.p[4] == pytest.approx(binomtest(gone, gone).pvalue)
    assert found.candidate.sum() == pytest.approx(1)
    assert found.p[10] == 1  # a class that nobody answers


def test_two_answers_lost_of_two_are_no_collapse_yet() -> None:
    before = np.zeros(100, dtype=int)
    before[:2] = 1
    assert not answer_shares(before, np.zeros(100, dtype=int), 2).collapsed.any()


def test_swapped_sides_give_the_same_p_and_mirror_the_shares() -> None:
    before, now = np.random.default_rng(1).integers(0, 6, (2, 300))
    there, back = answer_shares(before, now, 6), answer_shares(now, before, 6)
    assert there.p == pytest.approx(back.p)
    assert there.reference == pytest.approx(back.candidate)

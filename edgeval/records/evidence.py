"""Evidence: what a judge needs beyond a comparison: who was right on each sample, and resampled differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeval.measures.resample import Resampled
from edgeval.records.findings import Comparison


@dataclass(frozen=True)
class Evidence:
    """A comparison with the samples behind it.

    ids: N strings; labels, answers: (N,) int64, answers those of the candidate; right_reference, right_candidate: (N,)
    bool; all in the order of the reference's table.
    differences: metric -> resampled paired difference (candidate - reference) of ECE, Gini, bottom-k, NLL, Brier;
    alone: gives the same measures of the candidate alone, for absolute limits.
    """

    comparison: Comparison
    ids: tuple[str, ...]
    labels: NDArray[np.int64]
    answers: NDArray[np.int64]
    right_reference: NDArray[np.bool_]
    right_candidate: NDArray[np.bool_]
    differences: Mapping[str, Resampled] = field(default_factory=dict)
    alone: Callable[[], Mapping[str, Resampled]] = dict

    @cached_property
    def candidate(self) -> Mapping[str, Resampled]:
        """The candidate's own figures, resampled when first asked for."""
        return self.alone()

    def with_findings(self, **values: Any) -> Evidence:
        """A copy whose comparison says more."""
        return replace(self, comparison=self.comparison.model_copy(update=values))

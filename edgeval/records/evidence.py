"""Evidence: what a judge needs beyond a comparison: both tables sample by sample, and resampled differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeval.measures.resample import Resampled
from edgeval.records.findings import Comparison
from edgeval.records.predictions import Predictions


@dataclass(frozen=True)
class Evidence:
    """A comparison with the answers behind it.

    reference, candidate: the two tables of N samples in the same order, with ids; differences: metric -> resampled
    paired difference (candidate - reference) of ECE, Gini, bottom-k, NLL, Brier; alone: gives the same measures of the
    candidate by itself, for absolute limits.
    """

    comparison: Comparison
    reference: Predictions
    candidate: Predictions
    differences: Mapping[str, Resampled] = field(default_factory=dict)
    alone: Callable[[], Mapping[str, Resampled]] = dict

    @cached_property
    def own(self) -> Mapping[str, Resampled]:
        """The candidate's own figures, resampled when first asked for."""
        return self.alone()

    @property
    def ids(self) -> tuple[str, ...]:
        return self.reference.ids or ()

    @property
    def labels(self) -> NDArray[np.int64]:
        return self.reference.labels

    @property
    def right_reference(self) -> NDArray[np.bool_]:
        return self.reference.correct

    @property
    def right_candidate(self) -> NDArray[np.bool_]:
        return self.candidate.correct

    def with_findings(self, **values: Any) -> Evidence:
        """A copy whose comparison says more."""
        return replace(self, comparison=self.comparison.model_copy(update=values))

"""Evidence: what a judge needs beyond a comparison: who was right on each sample, and resampled differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgeval.measures.resample import Resampled
from edgeval.records.findings import Comparison


@dataclass(frozen=True)
class Evidence:
    """A comparison with the samples behind it.

    labels: (N,) int64; right_reference, right_candidate: (N,) bool in the order of the reference's table;
    differences: metric -> resampled paired difference (candidate - reference) of ECE, Gini, bottom-k, NLL, Brier.
    """

    comparison: Comparison
    labels: NDArray[np.int64]
    right_reference: NDArray[np.bool_]
    right_candidate: NDArray[np.bool_]
    differences: Mapping[str, Resampled] = field(default_factory=dict)

"""Sample ids of two tables brought into one order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import DataError


def positions(wanted: tuple[str, ...], given: tuple[str, ...]) -> NDArray[np.int64]:
    """Positions in `given` of each wanted id. Raises DataError unless both hold the same ids."""
    at = {name: i for i, name in enumerate(given)}
    missing = [name for name in wanted if name not in at]
    if missing or len(given) != len(wanted):
        seen = f"{len(missing)} of {len(wanted)} ids are missing on the other side"
        seen += f", such as {missing[0]}" if missing else f"; it has {len(given) - len(wanted)} more"
        raise DataError("the two sides hold different samples", seen=seen, hint="compare tables of the same data")
    return np.array([at[name] for name in wanted], dtype=np.int64)

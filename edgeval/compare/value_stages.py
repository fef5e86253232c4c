"""Walk the chain from a regressor to its deployed candidate: what each step did to every output's error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.stages import StageName
from edgeval.measures.regression import within
from edgeval.records.regression import ValueStage
from edgeval.records.values import Values


@dataclass(frozen=True)
class ValueLink:
    """One step of the chain: its cause, a label for where it arrives, and the answers there."""

    stage: StageName
    label: str
    table: Values


def value_stages(
    reference: Values, links: tuple[ValueLink, ...], tolerance: tuple[float, ...] | None
) -> tuple[ValueStage, ...]:
    """The steps in order. Changes of MSE, and nets of the tolerance, sum to the whole change.

    All tables hold the same samples in the same order.
    """
    tables = [reference, *(link.table for link in links)]
    labels = [reference.source.name, *(link.label for link in links)]
    limits = None if tolerance is None else np.array(tolerance)
    return tuple(
        _stage(link, (labels[k], labels[k + 1]), (tables[k], tables[k + 1]), limits) for k, link in enumerate(links)
    )


def _stage(
    link: ValueLink, ends: tuple[str, str], sides: tuple[Values, Values], limits: NDArray[np.float64] | None
) -> ValueStage:
    """One step with what lies before and after it."""
    before, after = ((side.errors**2).mean(axis=0) for side in sides)
    moved = np.sqrt(((sides[1].values - sides[0].values) ** 2).mean(axis=0))
    lost, gained = None, None
    if limits is not None:
        one, two = (within(side.targets, side.values, limits) for side in sides)
        lost, gained = int((one & ~two).sum()), int((~one & two).sum())
    return ValueStage.model_validate(
        {
            "name": link.stage,
            "from": ends[0],
            "to": ends[1],
            "mse": tuple(after.tolist()),
            "mse_change": tuple((after - before).tolist()),
            "moved": tuple(moved.tolist()),
            "lost": lost,
            "gained": gained,
            "net": None if lost is None or gained is None else gained - lost,
        }
    )

"""Walk the chain from the reference to the candidate and charge every change of correctness to one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.side import Side
from edgeval.measures import overlap
from edgeval.records.findings import Stage
from edgeval.records.predictions import Predictions

StageName = Literal["size", "export", "quantisation", "device"]


@dataclass(frozen=True)
class Link:
    """One step of the chain: its cause, a label for where it arrives, and the predictions there."""

    stage: StageName
    label: str
    table: Predictions


@dataclass(frozen=True)
class Trace:
    """The steps, and for each sample the step that it is charged to (-1: none)."""

    stages: tuple[Stage, ...]
    charges: NDArray[np.int64]
    cancelled: int

    def charged(self, sample: int) -> str:
        """Name of the step that a flipped sample is charged to; empty where no chain is known."""
        step = int(self.charges[sample])
        return self.stages[step].name if step >= 0 else ""


def trace(reference: Predictions, links: tuple[Link, ...]) -> Trace:
    """Steps with what each lost and gained; nets sum to the total.

    A sample whose final correctness differs from the reference's is charged to the last step at which its correctness
    changed; samples that flipped and came back are counted as cancelled (DESIGN: stages). All tables are aligned.
    """
    if not links:
        return Trace((), np.full(len(reference), -1), 0)
    right = np.stack([reference.correct, *(link.table.correct for link in links)])
    changed = right[1:] != right[:-1]
    final = right[-1] != right[0]
    last = len(links) - 1 - changed[::-1].argmax(axis=0)
    charges = np.where(final, last, -1).astype(np.int64)
    labels = [reference.source.name, *(link.label for link in links)]
    stages = tuple(_stage(link, labels[i : i + 2], right[i : i + 2], charges == i) for i, link in enumerate(links))
    return Trace(stages, charges, int((changed.any(axis=0) & ~final).sum()))


def _stage(link: Link, ends: list[str], right: NDArray[np.bool_], charged: NDArray[np.bool_]) -> Stage:
    """One step: right is (2, N) correctness before and after it."""
    table = overlap.flips(right[0], right[1])
    figures = Side(link.table).figures
    return Stage.model_validate(
        {
            "name": link.stage,
            "from": ends[0],
            "to": ends[1],
            "top1": figures["top1"],
            "ece": figures.get("ece"),
            "lost": table.lost,
            "gained": table.gained,
            "net": table.gained - table.lost,
            "jaccard": overlap.jaccard(table),
            "charged_lost": int((charged & ~right[1]).sum()),
            "charged_gained": int((charged & right[1]).sum()),
        }
    )

"""Images that calibrated a model and stand in the test data too: found by their pixels, whatever they are called."""

from __future__ import annotations

from collections.abc import Iterable

from edgeval.records.artifact import ArtifactCard
from edgeval.tasks.samples import Samples


def leaked(card: ArtifactCard | Iterable[str], samples: Samples) -> list[str]:
    """Ids of the samples whose content hash is among those of the calibration images, in the samples' order.

    card: of an exported file, or the content hashes themselves. A file that was never calibrated has none.
    """
    if isinstance(card, ArtifactCard):
        card = card.calibration.content_hashes if card.calibration else ()
    known = frozenset(card)
    if not known:
        return []
    return [name for name, found in zip(samples.ids, samples.content_hashes(), strict=True) if found in known]


def leak_note(count: int | None, name: str) -> tuple[str, ...]:
    """What a reader must know of a leak; nothing where there is none."""
    if not count:
        return ()
    which = "1 of the test images" if count == 1 else f"{count:,} of the test images"
    return (f"{which} calibrated {name}: its figures are too good, and no verdict rests on them",)

"""Torch's own answers, kept at export: where they come from, and whether they still belong to data and checkpoint."""

from __future__ import annotations

from edgeval.errors import IntegrityError
from edgeval.records.artifact import TORCH
from edgeval.records.checkpoint import CheckpointCard
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.predictions import Source
from edgeval.store import Store


def torch_source(card: CheckpointCard, data_sha256: str) -> Source:
    """Where the answers of a trained network in torch come from."""
    import torch

    how = card.recipe or (card.fit.recipe if card.fit else None)
    return Source(
        name=f"{card.ladder}:{card.rung}",
        format=TORCH,
        origin="desktop",
        sha256=card.sha256,
        params=card.params,
        runtime={"engine": "torch", "version": torch.__version__},
        data_sha256=data_sha256,
        preprocess=card.preprocess,
        notes=(f"trained by protocol: {how.protocol}",) if how else (),
    )


def check_torch(
    source: Source, data_sha256: str | None, *, ladder: Ladder, rung: Rung, seed: int, store: Store
) -> None:
    """Raise IntegrityError where torch answered other images, or its rung was trained again since."""
    if source.data_sha256 != data_sha256:
        seen = f"data {str(source.data_sha256)[:12]} then, {str(data_sha256)[:12]} now"
        hint = f"run: edgeval export {ladder.typed} --overwrite{store.flag}"
        raise IntegrityError(f"the test images of {rung.name} changed since it was exported", seen=seen, hint=hint)
    trained = store.checkpoint(store.rung(ladder.name, rung.name, seed))
    if trained and trained[1].sha256 != source.sha256:
        hint = f"run: edgeval export {ladder.typed} --rung {rung.name}{store.flag}"
        raise IntegrityError(f"{rung.name} was trained again since it was exported", seen=f"seed {seed}", hint=hint)

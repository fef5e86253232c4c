"""Torch's own numbers for the test part, written at export: what `compare` starts from, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeval.errors import DataError, IntegrityError, MissingError
from edgeval.records.checkpoint import CheckpointCard
from edgeval.records.values import Values, encode_values, read_values
from edgeval.store import Store
from edgeval.tasks.quantities import Quantities
from edgeval.workflow.answers import torch_source

if TYPE_CHECKING:
    from torch import nn


def kept_values(path: Path) -> Values:
    """A table that edgeval wrote. Raises MissingError, IntegrityError."""
    if not path.exists():
        raise MissingError("there is no table of answers", seen=path, hint="run the command again")
    try:
        return read_values(path, trusted=True)
    except DataError as error:
        raise IntegrityError(f"{path} is damaged", seen=error.what, hint="remove it and run again") from error


def write_torch_values(path: Path, net: nn.Module, card: CheckpointCard, test: Quantities, store: Store) -> None:
    """Keep the answers of a trained regressor to the test part."""
    from edgeval.train.predict import logits

    source = torch_source(card, test.sha256)
    values = logits(net, test.samples, card.preprocess).astype("float64")
    store.write(path, encode_values(Values(test.targets, values, test.output_names, source, test.samples.ids)))

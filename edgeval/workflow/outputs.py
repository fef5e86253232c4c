"""The outputs of models that answer with numbers, as far as their data or tables tell them before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from edgeval.errors import DataError
from edgeval.records.ladder import Ladder
from edgeval.records.values import read_values
from edgeval.tasks.cri3 import NAMES, is_magnets
from edgeval.tasks.quantities import names_in
from edgeval.workflow.models import is_model


def outputs_of_ladder(ladder: Ladder) -> tuple[str, ...]:
    """The names of the numbers in its test data; () where these cannot be read, which the run will say."""
    if ladder.task.simulated:
        return NAMES
    return _names(ladder.beside(ladder.task.test)) if ladder.task.test else ()


def outputs_of_sides(texts: Sequence[str], data: Path | None) -> tuple[str, ...]:
    """The names in the first table among these sides, else in the data; () where neither tells them."""
    for text in texts:
        if not is_model(text):
            with suppress(DataError):
                return read_values(Path(text)).output_names
    if data is None:
        return ()
    return NAMES if is_magnets(data) else _names(data)


def _names(data: Path) -> tuple[str, ...]:
    """What the data say; () where they cannot be read."""
    with suppress(DataError):
        return names_in(data)
    return ()

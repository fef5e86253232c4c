"""The tensor arena: what a model needs of a microcontroller's RAM."""

from __future__ import annotations

from pydantic import Field

from edgeval.records.cards import Record


class Arena(Record):
    """Bytes of RAM that TensorFlow Lite Micro needs, in a 64-bit build: an upper bound for 32-bit microcontrollers.

    smallest: the least that works; total: as its allocator recorded it, of which head are the activations and tail is
    what lasts.
    """

    smallest: int = Field(gt=0)
    total: int = Field(gt=0)
    head: int = Field(ge=0)
    tail: int = Field(ge=0)

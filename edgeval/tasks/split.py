"""The words that every task's loader speaks: which split, and whom to tell how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Split = Literal["train", "test"]

Progress = Callable[[int, int], None]
"""Called with (done, total): bytes while downloading, images while reading or composing."""

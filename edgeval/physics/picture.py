"""Pictures as a microscope would take them: a window of fixed size in A, AA in its centre, n_z of both layers.

In coordinates of the moire cell theta and J could not be told apart (only J theta^2 counts there). A window larger than
the cell shows the periodic pattern again, as a crystal does; pixels must still be small against the period.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from edgeval.errors import InputError

FEWEST = 4  # pixels a moire period: fewer would make a pattern of their own
WIDEST = 1e7  # angstrom: wider than the period of any angle


@dataclass(frozen=True)
class Window:
    """A square of `width` A in `size` x `size` pixels. Raises InputError unless it can be drawn."""

    width: float = 400.0
    size: int = 48

    def __post_init__(self) -> None:
        if not 0 < self.width <= WIDEST:
            raise InputError(
                f"the window must be a finite width above 0, at most {WIDEST:g}",
                seen=f"{self.width} A",
                hint="--window 400",
            )
        if not 4 <= self.size <= 1024:
            raise InputError("pictures have 4 to 1024 pixels a side", seen=self.size, hint="--image-size 48")

    def check(self, period: float) -> None:
        """Raise InputError where a pixel is too large for a moire period (A)."""
        if self.width / self.size > period / FEWEST:
            need = math.ceil(self.width * FEWEST / period)
            seen = f"{self.width:g} A in {self.size} pixels, period {period:.1f} A"
            hint = f"use --image-size {need} or more, or --window {period * self.size / FEWEST:.0f} or less"
            raise InputError("the window is too large: its pixels cannot show the moire cell", seen=seen, hint=hint)


USUAL = Window()


def draw(cells: Tensor, periods: Tensor, window: Window) -> Tensor:
    """Pictures (B, C, size, size) of periodic fields (B, C, N, N) whose point (0, 0) is AA; bilinear between points.

    periods: (B,) in A. The cell's first axis points right; the top row is the largest y.
    """
    count, size = window.size, cells.shape[-1]
    pixel = (torch.arange(count, dtype=torch.float64, device=cells.device) + 0.5 - count / 2) * (window.width / count)
    scaled = pixel / periods.double()[:, None]
    q = -scaled[:, :, None] / (math.sqrt(3) / 2) + 0 * scaled[:, None, :]
    p = scaled[:, None, :] - q / 2
    row, column = p * size, q * size
    i, j = row.floor(), column.floor()
    ahead, aside = ((row - i).to(cells.dtype)[:, None], (column - j).to(cells.dtype)[:, None])

    def at(a: Tensor, b: Tensor) -> Tensor:
        place = (a.long() % size * size + b.long() % size).flatten(1)[:, None].expand(-1, cells.shape[1], -1)
        return cells.flatten(2).gather(2, place).reshape(*cells.shape[:2], count, count)

    near = (1 - aside) * at(i, j) + aside * at(i, j + 1)
    far = (1 - aside) * at(i + 1, j) + aside * at(i + 1, j + 1)
    return (1 - ahead) * near + ahead * far

"""Draws the images of digits100 in whole numbers only, so that no machine, compiler or NumPy rounds differently."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
SIDE = 32
UNIT = 256
INK_FULL = 3072
CELLS = 11  # a blank cell before the 8 of a digit, two after: interpolation ends in blank on both sides
X = np.arange(SIDE, dtype=np.int32)


class Draws:
    """Random whole numbers from the raw words of PCG64: NumPy keeps those for ever, not its Generator's methods."""

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(list(seed))

    def words(self, n: int) -> NDArray[np.uint64]:
        """`n` words of 32 random bits."""
        return np.asarray(self._bits.random_raw(n), dtype=np.uint64) >> np.uint64(32)

    def within(self, low: int, high: int, *shape: int) -> Ints:
        """Uniform in low..high, both included."""
        wide = self.words(int(np.prod(shape))) * np.uint64(high - low + 1) >> np.uint64(32)
        return wide.astype(np.int32).reshape(shape) + np.int32(low)

    def order(self, n: int) -> NDArray[np.int64]:
        """A random order of 0 .. n - 1."""
        return np.argsort(self.words(n), kind="stable").astype(np.int64)

    def noise(self, *shape: int) -> Ints:
        """Difference of two random bytes: -255..255, triangular."""
        size = int(np.prod(shape))
        octets = np.asarray(self._bits.random_raw(-(-size // 4)), dtype="<u8").view(np.uint8)
        return (octets[:size].astype(np.int32) - octets[size : 2 * size]).reshape(shape)


def compose(left: NDArray[np.uint8], right: NDArray[np.uint8], draws: Draws) -> NDArray[np.uint8]:
    """(n, 32, 32, 3) uint8 images of two digits side by side; `left` and `right` are (n, 8, 8), 0..16."""
    n = len(left)
    lightness = draws.within(60, 195, n, 1)
    image = backdrop(lightness, draws)
    for _ in range(2):
        strike(image, draws)
    darker = np.where(lightness > 127, -1, 1).astype(np.int32)
    for digit, column in ((left, 9), (right, 23)):
        contrast = draws.within(135, 240, n, 1) * darker + draws.within(-50, 50, n, 3)
        image += ink(digit, column, draws)[:, None] * contrast[:, :, None, None] >> 12
    loudness = draws.within(2, 16, n, 1, 1, 1)
    image += draws.noise(n, 3, SIDE, SIDE) * loudness >> 7
    return np.ascontiguousarray(np.clip(image, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1))


def backdrop(lightness: Ints, draws: Draws) -> Ints:
    """(n, 3, 32, 32): a colour near the given lightness (n, 1) that changes evenly across the image."""
    n = len(lightness)
    base = np.clip(lightness + draws.within(-40, 40, n, 3), 0, 255)
    down, along = draws.within(-2, 2, 2, n, 3, 1, 1)
    image: Ints = down * (X - 16)[:, None] + along * (X - 16) + base[:, :, None, None]
    return image


def strike(image: Ints, draws: Draws) -> None:
    """Draw a half-transparent straight stroke, 1 to 2 pixels wide, into two of three images (n, 3, 32, 32)."""
    n = len(image)
    y0, x0, y1, x1 = draws.within(0, SIDE - 1, 4, n, 1, 1)
    dy, dx = y1 - y0, x1 - x0
    down, along = X[:, None] - y0, X - x0
    length2 = dy * dy + dx * dx
    across, position = along * dy - down * dx, along * dx + down * dy
    hit = 16 * across * across < draws.within(6, 18, n, 1, 1) * length2
    hit &= (position >= 0) & (position <= length2) & (draws.within(0, 2, n, 1, 1) > 0)
    colour = draws.within(0, 255, n, 3)
    which, row, column = np.nonzero(hit)
    image[which, :, row, column] = (image[which, :, row, column] + colour[which]) >> 1


def ink(digit: NDArray[np.uint8], column: int, draws: Draws) -> Ints:
    """(n, 32, 32), 0..INK_FULL: (n, 8, 8) digits stretched, slanted and placed about `column`, bilinear."""
    n = len(digit)
    cells = np.zeros((n, CELLS, CELLS), dtype=np.int32)
    cells[:, 1:9, 1:9] = digit
    height, width = draws.within(13, 17, n, 1), draws.within(11, 14, n, 1, 1)
    centre_y = draws.within(12 * UNIT, 20 * UNIT, n, 1)
    centre_x = draws.within((column - 2) * UNIT, (column + 2) * UNIT, n, 1, 1)
    slant = draws.within(-50, 50, n, 1, 1)
    down = X * UNIT - centre_y
    along = X * UNIT - centre_x + (slant * down[:, :, None] >> 8)
    rows = between(cells.transpose(0, 2, 1), (down * 8 // height)[:, None]).transpose(0, 2, 1)
    drawn: Ints = np.minimum(between(rows, along * 8 // width) >> 8, INK_FULL)
    return drawn


def between(cells: Ints, offset: Ints) -> Ints:
    """Linear interpolation in rows of cells, `offset` / UNIT cells from a digit's middle; gives cells times UNIT."""
    at = np.clip(offset + 9 * UNIT // 2, 0, 9 * UNIT)
    n, rows, _ = cells.shape
    index = np.arange(0, n * rows * CELLS, CELLS, dtype=np.int32).reshape(n, rows, 1) + (at >> 8)
    flat, share = cells.reshape(-1), at & 255
    blend: Ints = flat.take(index) * (UNIT - share) + flat.take(index + 1) * share
    return blend

"""A contact sheet: small pictures in rows, each with a caption, as one PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

COLUMNS, MARGIN, LINE, ZOOM = 4, 12, 13, 2
UP, DOWN = np.array([178, 60, 30]), np.array([20, 80, 160])


def contact_sheet(pictures: NDArray[np.float32], captions: Sequence[Sequence[str]], title: str) -> bytes:
    """PNG of (B, H, W, C) values in [-1, 1], channels side by side: +1 red, 0 white, -1 blue; captions in lines."""
    tiles = [_tile(picture) for picture in pictures]
    width, height = tiles[0].width + MARGIN, tiles[0].height + LINE * max(map(len, captions)) + MARGIN
    rows = -(-len(tiles) // COLUMNS)
    size = (MARGIN + COLUMNS * width, MARGIN + LINE + 6 + rows * height)
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, 6), title, fill="black")
    for k, (tile, lines) in enumerate(zip(tiles, captions, strict=True)):
        left, top = MARGIN + k % COLUMNS * width, MARGIN + LINE + 6 + k // COLUMNS * height
        sheet.paste(tile, (left, top))
        for at, line in enumerate(lines):
            pen.text((left, top + tile.height + 1 + at * LINE), line, fill="black")
    buffer = io.BytesIO()
    sheet.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _tile(picture: NDArray[np.float32]) -> Image.Image:
    """One picture, its channels side by side with a thin gap."""
    gap = np.full((picture.shape[0], 2, 3), 255, dtype=np.uint8)
    parts = [part for k in range(picture.shape[-1]) for part in (gap, _coloured(picture[..., k]))][1:]
    image = Image.fromarray(np.concatenate(parts, axis=1))
    return image.resize((image.width * ZOOM, image.height * ZOOM), Image.Resampling.NEAREST)


def _coloured(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W, 3) from blue over white to red."""
    share = np.abs(values)[..., None]
    end = np.where(values[..., None] > 0, UP, DOWN)
    return np.asarray((255 * (1 - share) + end * share).round(), dtype=np.uint8)

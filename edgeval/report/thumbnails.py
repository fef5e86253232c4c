"""Small PNG pictures of samples, for the gallery of flipped images."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LONGEST = 64


def thumbnail(image: NDArray[np.generic], *, longest: int = LONGEST) -> bytes:
    """A PNG of (H, W, 1 to 4 channels), at most `longest` pixels on its longer side.

    uint8 is taken as it is; float is stretched from its lowest to its highest finite value. Two channels have no
    colour of their own: they stand side by side in grey. Images that are small enough keep every pixel.
    """
    pixels = _as_bytes(np.asarray(image))
    if pixels.shape[-1] == 2:
        pixels = np.concatenate([pixels[..., :1], pixels[..., 1:]], axis=1)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.thumbnail((longest, longest), Image.Resampling.BOX)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _as_bytes(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    """uint8 pixels; a float image without contrast becomes black."""
    if image.dtype == np.uint8:
        return image.astype(np.uint8)
    values = np.nan_to_num(image.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = values.min(), values.max()
    stretched: NDArray[np.uint8] = ((values - low) / ((high - low) or 1) * 255).round().astype(np.uint8)
    return stretched

"""Thumbnails are true to the pixels and small."""

import io

import numpy as np
import pytest
from PIL import Image

from edgeval.report.thumbnails import thumbnail


def pixels(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("shape", [(32, 32, 1), (32, 32, 3), (20, 32, 4)])
def test_a_small_uint8_image_keeps_every_pixel(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(pixels(thumbnail(image)).reshape(shape), image)


def test_two_channels_stand_side_by_side() -> None:
    image = np.dstack([np.full((8, 8), 10), np.full((8, 8), 200)]).astype(np.uint8)
    shown = pixels(thumbnail(image))
    assert shown.shape == (8, 16)
    assert (shown[:, :8] == 10).all()
    assert (shown[:, 8:] == 200).all()


def test_float_is_stretched() -> None:
    image = np.linspace(-3, 5, 16, dtype=np.float32).reshape(4, 4, 1)
    shown = pixels(thumbnail(image))
    assert (shown.min(), shown.max()) == (0, 255)


@pytest.mark.parametrize("fill", [2.5, np.nan, np.inf])
def test_float_without_contrast_is_black(fill: float) -> None:
    assert not pixels(thumbnail(np.full((4, 4, 3), fill, np.float32))).any()


@pytest.mark.parametrize(
    ("shape", "size"),
    [((480, 640, 3), (48, 64)), ((640, 480, 1), (64, 48)), ((1, 500, 3), (1, 64)), ((300, 300, 2), (32, 64))],
)
def test_a_large_image_is_made_small(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    assert pixels(thumbnail(np.zeros(shape, np.uint8))).shape[:2] == size

"""Decodes image files into one array: same size, same channels, upright, or one clear error that names the file."""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from edgeval.archive import LIMIT
from edgeval.errors import DataError
from edgeval.tasks.split import Progress

Size = tuple[int, int]
Pixels = NDArray[np.uint8]

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"}
)
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
GREY = frozenset({"1", "L", "LA"})
DEEP = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)


def read_pictures(paths: Sequence[Path], *, size: Size | None, progress: Progress) -> tuple[Pixels, tuple[str, ...]]:
    """(N, H, W, 1 or 3) uint8 and notes. One channel only if every file is grey. Raises DataError.

    size: (height, width) that all are resized to, bilinear; without it all files must have one size.
    """
    shapes, grey = [], True
    for path in paths:
        with opened(path) as image:
            shapes.append(upright(image))
            grey = grey and image.mode in GREY
    height, width = size or common(paths, shapes)
    shape = (len(paths), height, width, 1 if grey else 3)
    check_memory(shape, 1)
    pixels = np.empty(shape, dtype=np.uint8)
    for at, path in enumerate(paths):
        with opened(path) as image:
            pixels[at] = decode(image, grey, (height, width))
        progress(at + 1, len(paths))
    resized = sum(shape != (height, width) for shape in shapes)
    return pixels, (f"{resized} of {len(paths)} images resized to {height}x{width} (bilinear)",) if resized else ()


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """An image file whose pixels are not read yet; whatever goes wrong inside is a DataError that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                if image.mode in DEEP:
                    raise DataError("the image has more than 8 bits a channel", seen=path, hint="convert it to 8 bits")
                yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{path} unpacks to far too many pixels", seen=error, hint="make it smaller") from error
    except DAMAGED as error:
        raise DataError(f"{path} cannot be read as an image", seen=error, hint="mend or remove it") from error


def upright(image: Image.Image) -> Size:
    """(height, width) after the EXIF orientation is applied."""
    if image.format == "TIFF":
        image.load()  # Pillow turns these by itself, but only when it reads the pixels
    width, height = image.size
    return (width, height) if image.getexif().get(ORIENTATION) in SIDEWAYS else (height, width)


def common(paths: Sequence[Path], shapes: Sequence[Size]) -> Size:
    """The one size that all files have. Raises DataError that names two files which differ."""
    height, width = shapes[0]
    other = next((at for at, shape in enumerate(shapes) if shape != shapes[0]), None)
    if other is not None:
        seen = f"{paths[0]} is {height}x{width}, {paths[other]} is {shapes[other][0]}x{shapes[other][1]}"
        raise DataError("images differ in size", seen=seen, hint=f"add --size {height}x{width}")
    return height, width


def decode(image: Image.Image, grey: bool, size: Size) -> Pixels:
    """(H, W, 1 or 3) uint8 of the first frame: upright, without alpha, resized if it has another size."""
    image = ImageOps.exif_transpose(image)
    if "transparency" in image.info and image.mode == "P":
        image = image.convert("RGBA")
    image = image.convert("L" if grey else "RGB")
    if image.size != size[::-1]:
        image = image.resize(size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8).reshape(*size, 1 if grey else 3)


def check_memory(shape: tuple[int, ...], itemsize: int) -> None:
    """Raise DataError if an array of this shape would be larger than LIMIT bytes."""
    size = math.prod(shape) * itemsize
    if size > LIMIT:
        raise DataError(f"the images do not fit into {LIMIT} bytes", seen=size, hint="give fewer, or a smaller --size")


def resize_arrays(images: NDArray[np.generic], size: Size) -> NDArray[np.generic]:
    """(N, H, W, C) uint8 or float32 to (N, *size, C), each channel by itself, bilinear."""
    shape = (len(images), *size, images.shape[-1])
    check_memory(shape, images.itemsize)
    resized = np.empty(shape, dtype=images.dtype)
    for at, channel in np.ndindex(len(images), images.shape[-1]):
        plane = Image.fromarray(np.ascontiguousarray(images[at, :, :, channel]))
        resized[at, :, :, channel] = np.asarray(plane.resize(size[::-1], Image.Resampling.BILINEAR))
    return resized

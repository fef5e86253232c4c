"""From stored images to what a model's input takes: (pixel x scale - mean) / std, layout, quantisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Sequence, Tuple

import numpy as np

from .frames import Fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Prepare = Callable[[Array], Array]

FLOATS = ("float32", "float16")
INTEGERS = ("int8", "uint8")


def layout(shape: Sequence[Any], image: Tuple[int, int, int]) -> str:
    """How a model with this input shape wants an image (H, W, C): NHWC, NCHW, or NHW for one channel.

    Sizes that are not whole numbers are free. Raises Fault `input-shape` when none fits, or more than one.
    """
    height, width, channels = image
    wanted: Dict[str, Tuple[int, ...]] = {"NHWC": (1, height, width, channels), "NCHW": (1, channels, height, width)}
    if channels == 1:
        wanted["NHW"] = (1, height, width)
    fitting = [name for name, sizes in wanted.items() if _fits(shape, sizes)]
    if len(fitting) != 1:
        message = (
            "the layout of the model's input is ambiguous"
            if fitting
            else "the model's input does not take these images"
        )
        raise Fault("input-shape", message, "input {}, one image {}".format(_words(shape), _words((1, *image))))
    return fitting[0]


def preparer(dtype: Any, channels: int, job: Dict[str, Any], tensor: Dict[str, Any]) -> "Prepare":
    """A function from images (n, H, W, C) to inputs (n, ...) of the model's layout and type.

    Computed in float64, then rounded once: half to even for integers. Pixels of uint8 images go through a
    table of 256 entries a channel, so that each costs one look-up and is exact.
    """
    if tensor["dtype"] not in FLOATS + INTEGERS:
        raise Fault("model", "the model's input type is not supported", tensor["dtype"])
    scale, mean, std = job["scale"], np.array(job["mean"], np.float64), np.array(job["std"], np.float64)

    def formula(images: "Array") -> "Array":
        return quantise((images.astype(np.float64) * scale - mean) / std, tensor)

    if dtype != np.uint8:
        convert: Prepare = formula
    else:
        pixels = np.arange(256, dtype=np.float64)[:, None]
        convert = _by_table(formula(np.repeat(pixels, channels, axis=1)).T)
    if tensor["layout"] == "NCHW":
        return lambda images: np.ascontiguousarray(convert(images).transpose(0, 3, 1, 2))
    if tensor["layout"] == "NHW":
        return lambda images: convert(images)[..., 0]
    return convert


def quantise(values: "Array", tensor: Dict[str, Any]) -> "Array":
    """Real numbers as the tensor stores them: round(value / scale) + zero point, clipped; floats are cast."""
    kind = np.dtype(tensor["dtype"])
    if tensor["dtype"] in FLOATS:
        return values.astype(kind)
    steps = np.rint(values / (tensor["scale"] or 1.0)) + (tensor["zero_point"] or 0)
    limits = np.iinfo(kind)
    stored: Array = np.clip(steps, limits.min, limits.max).astype(kind)
    return stored


def _by_table(tables: "Array") -> "Prepare":
    """Look-up in tables (C, 256), by the quickest way that gives the same answer."""
    tables = np.ascontiguousarray(tables)
    if (tables != tables[0]).any():
        return lambda images: _planes(tables, images)
    table = tables[0]
    if table.dtype.itemsize == 1:
        first = table.view(np.uint8)[0]
        if (table.view(np.uint8) == np.arange(256, dtype=np.uint8) + first).all():
            return lambda images: np.add(images, first).view(table.dtype)
    # Every uint8 is a valid place in 256 entries; `clip` only tells numpy not to check.
    return lambda images: table.take(images, mode="clip")


def _planes(tables: "Array", images: "Array") -> "Array":
    """Each channel through its own table."""
    result = np.empty(images.shape, tables.dtype)
    for channel, table in enumerate(tables):
        result[..., channel] = table.take(images[..., channel], mode="clip")
    return result


def _fits(shape: Sequence[Any], sizes: Sequence[int]) -> bool:
    """Whether fixed sizes agree and the rest is free."""
    return len(shape) == len(sizes) and all(not isinstance(a, int) or a == b for a, b in zip(shape, sizes))  # noqa: B905


def _words(shape: Sequence[Any]) -> str:
    """A shape as 1x32x32x3."""
    return "x".join(str(size) for size in shape)

"""From stored images to what a model's input takes: (pixel x scale - mean) / std, layout, quantisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Sequence, Tuple

import numpy as np

from .frames import Fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Prepare = Callable[[Array], Array]

FLOATS = ("float32", "float16", "float64")
INTEGERS = ("int8", "uint8", "int16")


def layout(shape: Sequence[Any], image: Tuple[int, int, int], asked: str = "auto") -> str:
    """How a model with this input shape wants an image (H, W, C): NHWC, NCHW, NHW for one channel, or flat.

    Sizes that are not whole numbers are free. `asked` (nhwc or nchw) decides between several. Raises Fault
    `input-shape` when none fits, or more than one.
    """
    fitting = [name for name, sizes in shapes(image).items() if _fits(shape, sizes)]
    if asked != "auto":
        fitting = [name for name in fitting if asked.upper() in name or name == "NHW"]
    if len(fitting) == 1:
        return fitting[0]
    seen = "input {}, one image {}".format(_words(shape), _words((1, *image)))
    if fitting:
        hint = "say which: --layout nhwc or --layout nchw"
        raise Fault("input-shape", "the layout of the model's input is ambiguous", seen, hint)
    raise Fault("input-shape", "the model's input does not take these images", seen, _advice(shape, image, asked))


def shapes(image: Tuple[int, int, int]) -> Dict[str, Tuple[int, ...]]:
    """The input shapes that take one image (H, W, C), by the name of the layout."""
    height, width, channels = image
    flat = (1, height * width * channels)
    found: Dict[str, Tuple[int, ...]] = {"NHWC": (1, height, width, channels), "NCHW": (1, channels, height, width)}
    if channels == 1:
        return dict(found, NHW=(1, height, width), FLAT=flat)
    return dict(found, **{"FLAT-NHWC": flat, "FLAT-NCHW": flat})


def _advice(shape: Sequence[Any], image: Tuple[int, int, int], asked: str) -> str:
    """What to do about an input that takes no such image."""
    if shape and isinstance(shape[0], int) and shape[0] > 1:
        return "its batch is fixed at {}: export it with a batch of 1, or a free one".format(shape[0])
    if asked != "auto":
        return "leave --layout {} away".format(asked)
    if len(shape) != 4:
        return "it wants numbers of another shape"
    first = shape[1] == image[2] or shape[1] in (1, 3)
    channels, height, width = (shape[1], shape[2], shape[3]) if first else (shape[3], shape[1], shape[2])
    if isinstance(channels, int) and channels != image[2]:
        return "it wants {} channels, the images have {}".format(channels, image[2])
    return "add --size {}x{}".format(height, width)


def undeclared(dtype: Any, job: Dict[str, Any], tensor: Dict[str, Any]) -> Dict[str, Any]:
    """How pixels become input where the user did not say, and the file gives an integer input no scale: as they are.

    Raises Fault where that cannot be meant.
    """
    if job.get("declared", True) or tensor["dtype"] not in INTEGERS or tensor["scale"] is not None:
        given: Dict[str, Any] = job["preprocess"]
        return given
    if tensor["dtype"] != "uint8" or dtype != np.uint8:
        message = "the model's integer input has no scale and zero point"
        hint = "say how pixels become its input: --scale, --mean, --std (for pixel - 128: --scale 1 --mean 128)"
        raise Fault("input-shape", message, "{} input, {} images".format(tensor["dtype"], np.dtype(dtype).name), hint)
    return {"scale": 1.0, "mean": [0.0], "std": [1.0]}


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
    if job.get("channels") == "bgr":
        convert = _reversed(convert)
    if "NCHW" in tensor["layout"]:
        convert = _channels_first(convert)
    if tensor["layout"] == "NHW":
        return lambda images: convert(images)[..., 0]
    if tensor["layout"].startswith("FLAT"):
        return lambda images: convert(images).reshape(len(images), -1)
    return convert


def _reversed(convert: "Prepare") -> "Prepare":
    """The same with the channels in reverse order first; mean and std are in the model's order."""
    return lambda images: convert(np.ascontiguousarray(images[..., ::-1]))


def _channels_first(convert: "Prepare") -> "Prepare":
    """The same, as (n, C, H, W)."""
    return lambda images: np.ascontiguousarray(convert(images).transpose(0, 3, 1, 2))


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

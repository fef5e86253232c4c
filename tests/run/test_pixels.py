"""From pixels to inputs: every quick path gives what the plain formula gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeval.run.agent.frames import Fault
from edgeval.run.agent.pixels import layout, preparer, quantise

IMAGES = np.random.default_rng(1).integers(0, 256, (50, 5, 6, 3), dtype=np.uint8)
PLAIN = {"scale": 1.0, "mean": [0.0], "std": [1.0]}
COLOURS = {"scale": 1 / 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
GREY = {"scale": 1 / 255, "mean": [0.5], "std": [0.25]}


def tensor(dtype: str, scale: float | None = None, zero: int | None = None, where: str = "NHWC") -> dict[str, Any]:
    return {"dtype": dtype, "scale": scale, "zero_point": zero, "layout": where}


def slow(images: Any, job: dict[str, Any], to: dict[str, Any]) -> Any:
    """One pixel at a time, in Python's own numbers."""
    result = np.empty(images.shape, to["dtype"])
    for place in np.ndindex(*images.shape):
        channel = place[-1]
        mean, std = (values[channel % len(values)] for values in (job["mean"], job["std"]))
        value = (float(images[place]) * job["scale"] - mean) / std
        if np.dtype(to["dtype"]).kind in "iu":
            limits = np.iinfo(to["dtype"])
            value = min(max(round(value / to["scale"]) + to["zero_point"], limits.min), limits.max)
        result[place] = value
    return result


@pytest.mark.parametrize(
    ("job", "to"),
    [
        (PLAIN, tensor("int8", 1.0, -128)),
        (PLAIN, tensor("uint8", 1.0, 0)),
        (PLAIN, tensor("int8", 0.7, -100)),
        (GREY, tensor("int8", 4 / 255, -1)),
        (GREY, tensor("float32")),
        (COLOURS, tensor("int8", 0.0186584, -14)),
        (COLOURS, tensor("uint8", 0.02, 114)),
        (COLOURS, tensor("int16", 8e-5, 0)),
        (COLOURS, tensor("int16", 2e-5, 0)),
        (COLOURS, tensor("float32")),
        (COLOURS, tensor("float16")),
    ],
)
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_all_ways_agree_with_the_formula(job: dict[str, Any], to: dict[str, Any], kind: type) -> None:
    images = IMAGES[:8].astype(kind)
    prepared = preparer(images.dtype, 3, job, to)(images)
    assert prepared.dtype == to["dtype"]
    np.testing.assert_array_equal(prepared, slow(images, job, to))


def test_layouts_only_move_pixels() -> None:
    rows = preparer(np.uint8, 3, COLOURS, tensor("float32"))(IMAGES)
    planes = preparer(np.uint8, 3, COLOURS, tensor("float32", where="NCHW"))(IMAGES)
    np.testing.assert_array_equal(planes, rows.transpose(0, 3, 1, 2))
    assert planes.flags.c_contiguous
    flat = preparer(np.uint8, 1, PLAIN, tensor("int8", 1.0, -128, "NHW"))(IMAGES[..., :1])
    np.testing.assert_array_equal(flat, IMAGES[..., 0].astype(int) - 128)


@pytest.mark.parametrize(
    ("shape", "image", "expected"),
    [
        ([1, 32, 32, 3], (32, 32, 3), "NHWC"),
        ([1, 3, 32, 32], (32, 32, 3), "NCHW"),
        ([None, 3, None, None], (32, 32, 3), "NCHW"),
        (["batch", None, None, 3], (32, 32, 3), "NHWC"),
        ([1, 28, 28], (28, 28, 1), "NHW"),
        ([1, 28, 28, 1], (28, 28, 1), "NHWC"),
    ],
)
def test_layout_comes_from_the_shape(shape: list[Any], image: tuple[int, int, int], expected: str) -> None:
    assert layout(shape, image) == expected


@pytest.mark.parametrize(
    ("shape", "image", "words"),
    [
        ([1, 96, 96, 3], (32, 32, 3), "does not take"),
        ([2, 32, 32, 3], (32, 32, 3), "does not take"),
        ([1, 3000], (32, 32, 3), "does not take"),
        ([1, 3072], (32, 32, 3), "ambiguous"),
        ([1, 3, 3, 3], (3, 3, 3), "ambiguous"),
        ([1, None, None, None], (32, 32, 3), "ambiguous"),
    ],
)
def test_other_shapes_are_refused(shape: list[Any], image: tuple[int, int, int], words: str) -> None:
    with pytest.raises(Fault, match=words) as caught:
        layout(shape, image)
    assert caught.value.fields["code"] == "input-shape"
    assert "x".join(map(str, shape)) in caught.value.fields["seen"]


def test_values_beyond_the_range_are_clipped() -> None:
    stored = quantise(np.array([-1e9, 0.0, 1e9]), tensor("int8", 0.1, 5))
    assert stored.tolist() == [-128, 5, 127]


def test_a_strange_input_type_is_refused() -> None:
    with pytest.raises(Fault, match="type is not supported"):
        preparer(np.uint8, 3, PLAIN, tensor("int64"))

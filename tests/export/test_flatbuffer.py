"""TFLite files put together again."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.errors import ModelError
from edgeval.export import flatbuffer
from tests.export.small_net import Exported


def test_every_constant_is_inside_and_aligned(exported: Exported) -> None:
    for fmt in ("tflite-fp32", "tflite-int8"):
        data = exported[fmt][0]  # type: ignore[index]
        whole = np.frombuffer(data, np.uint8)
        root = flatbuffer.schema.Model.GetRootAs(data, 0)
        buffers = [root.Buffers(i) for i in range(root.BuffersLength())]
        assert all(buffer.Offset() == buffer.Size() == 0 for buffer in buffers)
        parts = [buffer.DataAsNumpy() for buffer in buffers if not buffer.DataIsNone()]
        assert max(part.size for part in parts) > 256 * 1024
        assert {(part.ctypes.data - whole.ctypes.data) % 16 for part in parts if part.size} == {0}


def test_operator_versions_admit_to_int8(exported: Exported) -> None:
    model = flatbuffer.parse(exported["tflite-int8"][0])
    assert {name: version for name, version, _ in flatbuffer.operators(model)} == {
        "ADD": 2,
        "CONV_2D": 3,
        "DEPTHWISE_CONV_2D": 3,
        "FULLY_CONNECTED": 5,  # int8 came with 4; the converter sets keep_num_dims, which came with 5
        "MEAN": 2,
        "PAD": 2,
    }


def test_float_operators_keep_their_versions(exported: Exported) -> None:
    model = flatbuffer.parse(exported["tflite-fp32"][0])
    assert {version for name, version, _ in flatbuffer.operators(model) if name != "FULLY_CONNECTED"} == {1}


def test_settling_twice_changes_nothing(exported: Exported) -> None:
    data = exported["tflite-int8"][0]
    assert flatbuffer.settle(data) == data


@pytest.mark.parametrize("cut", [0, 7, 8, 64, 5_000])
def test_damaged_files_are_named(exported: Exported, cut: int) -> None:
    with pytest.raises(ModelError, match=r"not a TFLite file|damaged"):
        flatbuffer.parse(exported["tflite-int8"][0][:cut])

"""The Edge TPU compiler's rules, each broken once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_net import Exported

from edgeval.errors import ModelError
from edgeval.export import edgetpu, flatbuffer, tflite
from edgeval.export.convert import Request


@pytest.fixture(scope="module")
def good(request_: Request) -> bytes:
    images = request_.inputs(request_.calibration)
    return tflite.quantize(request_.float_tflite, images, per_channel_dense=False)


def set_code(model: Any, name: str, **values: int) -> None:
    for code in model.operatorCodes:
        if flatbuffer.code_name(code) == name:
            vars(code).update(values)


def set_batch(model: Any) -> None:
    tensor = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]
    tensor.shape = np.array([2, *tensor.shape[1:]], np.int32)


def set_free(model: Any) -> None:
    tensor = model.subgraphs[0].tensors[model.subgraphs[0].operators[0].outputs[0]]
    tensor.shapeSignature = np.array([-1, *tensor.shape[1:]], np.int32)


BROKEN: list[tuple[Callable[[Any], None], str]] = [
    (lambda model: set_code(model, "MEAN", builtinCode=150, deprecatedBuiltinCode=127), r"cannot run GELU"),
    (lambda model: set_code(model, "CONV_2D", version=6), r"cannot run CONV_2D .seen: version 6"),
    (set_batch, r"needs a batch of 1"),
    (set_free, r"cannot run CONV_2D .*a shape that is known only"),
]


def test_a_plain_convolutional_net_is_accepted(good: bytes) -> None:
    edgetpu.check(good, "small")


@pytest.mark.parametrize(("edit", "message"), BROKEN)
def test_what_the_compiler_refuses_is_named(good: bytes, edit: Callable[[Any], None], message: str) -> None:
    model = flatbuffer.parse(good)
    edit(model)
    with pytest.raises(ModelError, match=rf"small: the Edge TPU {message}"):
        edgetpu.check(flatbuffer.pack(model), "small")


def test_float_and_per_channel_dense_are_named(exported: Exported) -> None:
    with pytest.raises(ModelError, match="float32 tensor"):
        edgetpu.check(exported["tflite-fp32"][0], "small")
    with pytest.raises(ModelError, match=r"FULLY_CONNECTED .*one scale per channel"):
        edgetpu.check(exported["tflite-int8"][0], "small")

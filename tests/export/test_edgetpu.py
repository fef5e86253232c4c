"""The Edge TPU compiler's rules, each broken once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgeval.errors import ModelError
from edgeval.export import edgetpu, flatbuffer, quantize
from edgeval.export.convert import Request
from tests.export.small_net import Exported


@pytest.fixture(scope="module")
def good(request_: Request) -> bytes:
    return quantize.integer(request_.float_tflite, request_.ranges, per_channel_dense=False)


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


def set_free_batch(model: Any) -> None:
    tensor = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]
    tensor.shapeSignature = np.array([-1, *tensor.shape[1:]], np.int32)


def first_conv(model: Any) -> tuple[Any, Any]:
    """Weights and output of the first convolution."""
    graph = model.subgraphs[0]
    op = next(o for o in graph.operators if flatbuffer.code_name(model.operatorCodes[o.opcodeIndex]) == "CONV_2D")
    return graph.tensors[op.inputs[1]], graph.tensors[op.outputs[0]]


def set_int16(model: Any) -> None:
    first_conv(model)[1].type = 7


def set_weights(model: Any) -> None:
    first_conv(model)[0].buffer = 0


def set_outer(model: Any) -> None:
    tensor = first_conv(model)[1]
    tensor.shape, tensor.shapeSignature = np.array([2, *tensor.shape[1:]], np.int32), None


def code(number: int) -> dict[str, int]:
    return {"builtinCode": number, "deprecatedBuiltinCode": min(number, 127)}


QUANTIZE, TRANSPOSE_CONV, EXP, CUMSUM = code(114), code(67), code(47), code(128)


BROKEN: list[tuple[Callable[[Any], None], str]] = [
    (lambda model: set_code(model, "MEAN", builtinCode=150, deprecatedBuiltinCode=127), r"cannot run GELU"),
    (lambda model: set_code(model, "CONV_2D", version=6), r"cannot run CONV_2D .seen: version 6"),
    (lambda model: set_code(model, "MEAN", **QUANTIZE, version=3), r"cannot run QUANTIZE .seen: version 3"),
    (lambda model: set_code(model, "MEAN", **TRANSPOSE_CONV, version=4), r"cannot run TRANSPOSE_CONV .seen: version 4"),
    (lambda model: set_code(model, "MEAN", **EXP, version=2), r"cannot run EXP .seen: version 2"),
    (lambda model: set_code(model, "MEAN", **CUMSUM), r"cannot run CUMSUM .seen: not among the operators"),
    (set_batch, r"needs a batch of 1 .seen: \[2, .*tensor "),
    (set_free_batch, r"needs a batch of 1 .seen: a free batch, tensor "),
    (set_int16, r"cannot run CONV_2D .seen: an? int16 tensor.*tensor \S"),
    (set_weights, r"cannot run CONV_2D .seen: weights that are no constants"),
    (set_outer, r"cannot run CONV_2D .seen: shape \[2, .*three inner dimensions"),
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


def test_the_cards_own_limits_count_too(good: bytes) -> None:
    with pytest.raises(ModelError, match=r"cannot run CONV_2D .seen: version 3, its compiler knows up to 2"):
        edgetpu.check(good, "small", versions={"CONV_2D": 2})


def test_what_stays_on_the_cpu_is_told_and_not_refused(good: bytes) -> None:
    model = flatbuffer.parse(good)
    set_code(model, "MEAN", **CUMSUM)
    (found,) = edgetpu.check(flatbuffer.pack(model), "small", strict=False)
    assert (found.operator, found.refused) == ("CUMSUM", False)

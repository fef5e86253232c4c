"""TFLite files taken apart and put together again: every constant inside, aligned, with honest operator versions."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgeval.errors import ModelError

IDENTIFIER = b"TFL3"
ALIGNMENT = 16
# What comes of reading bytes that are not what they should be.
DAMAGED = (struct.error, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)

# The operator versions that brought int8 kernels (tensorflow, tools/versioning/op_version.cc). RESHAPE, QUANTIZE and
# others took int8 in their first version. A quantizer that leaves the float versions lets old runtimes run what they
# do not know.
SECOND = """
ADD AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND CONCATENATION DEQUANTIZE EQUAL GATHER L2_NORMALIZATION LOGISTIC
MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NOT_EQUAL PACK PAD PADV2 REDUCE_MAX REDUCE_MIN RELU RELU6
RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SLICE SOFTMAX SPACE_TO_BATCH_ND SPLIT STRIDED_SLICE SUB TANH TRANSPOSE
TRANSPOSE_CONV UNPACK
"""
INT8_VERSIONS = dict.fromkeys(SECOND.split(), 2) | {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4}


class AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]
    """A builder that starts every vector of bytes on a 16-byte boundary, as the schema's `force_align` asks.

    The generated Python code ignores that attribute.
    """

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:
        offset: int = super().StartVector(elemSize, numElems, ALIGNMENT if elemSize == 1 else alignment)
        return offset


def parse(data: bytes) -> Any:
    """The file as the schema's `ModelT`, constants outside the flatbuffer brought in. Raises ModelError."""
    if data[4:8] != IDENTIFIER:
        raise ModelError("this is not a TFLite file", seen=f"{len(data)} bytes, identifier {data[4:8]!r}")
    with intact():
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
        for buffer in model.buffers:
            if buffer.offset > 1:
                buffer.data = np.frombuffer(data, np.uint8, buffer.size, buffer.offset)
                buffer.offset = buffer.size = 0
        _check_indices(model)
    return model


@contextmanager
def intact() -> Iterator[None]:
    """Raise ModelError for what goes wrong while a model is looked at: the file is not as it was written."""
    try:
        yield
    except DAMAGED as error:
        raise ModelError("the TFLite file is damaged", seen=error, hint="export or download it again") from error


def settle(data: bytes) -> bytes:
    """The same model with all constants inside the flatbuffer, 16-byte aligned, and versions that admit to int8.

    tflite-micro reads constants that stand outside as empty, and answers garbage without an error.
    """
    model = parse(data)
    for number, code in enumerate(model.operatorCodes):
        if any(op.opcodeIndex == number and _is_int8(graph, op) for graph in model.subgraphs for op in graph.operators):
            code.version = max(code.version, INT8_VERSIONS.get(code_name(code), 1))
    return pack(model)


def pack(model: Any) -> bytes:
    """A `ModelT` as the bytes of a file."""
    constants = sum(0 if buffer.data is None else len(buffer.data) + ALIGNMENT for buffer in model.buffers)
    builder = AlignedBuilder(constants + 65_536)
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def operators(model: Any) -> Iterator[tuple[str, int, list[Any]]]:
    """Each operator of the main subgraph: its name, its version, and its tensors (inputs, then outputs)."""
    graph = model.subgraphs[0]
    for op in graph.operators:
        code = model.operatorCodes[op.opcodeIndex]
        yield code_name(code), code.version, _tensors(graph, op)


def code_name(code: Any) -> str:
    """`CONV_2D`; a custom operator goes by its own name."""
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    name = _BUILTIN.get(number, f"BUILTIN_{number}")
    return code.customCode.decode("utf-8", "replace") if name == "CUSTOM" and code.customCode else name


def type_name(tensor: Any) -> str:
    """`int8`, `float32`, ..."""
    return _TYPES.get(tensor.type, f"type{tensor.type}")


def _tensors(graph: Any, op: Any) -> list[Any]:
    return [graph.tensors[i] for i in (*op.inputs, *op.outputs) if i >= 0]


def _is_int8(graph: Any, op: Any) -> bool:
    return any(type_name(tensor) == "int8" for tensor in _tensors(graph, op))


def _check_indices(model: Any) -> None:
    """Touch every operator's tensors and code: a damaged file fails here, not later."""
    for graph in (model.subgraphs[0], *model.subgraphs[1:]):
        for tensor in (*(graph.tensors[i] for i in (*graph.inputs, *graph.outputs)), *graph.tensors):
            _ = model.buffers[tensor.buffer]
        for op in graph.operators:
            _tensors(graph, op)
            code_name(model.operatorCodes[op.opcodeIndex])


def _names(enum: type) -> dict[int, str]:
    return {number: name for name, number in vars(enum).items() if isinstance(number, int)}


_BUILTIN = _names(schema.BuiltinOperator)
_TYPES = {number: name.lower() for number, name in _names(schema.TensorType).items()}

"""Files as the Edge TPU compiler lays them out, built from nothing: TFLite > flexbuffer > package > executables."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as fb

from edgeval.export import flatbuffer

STAND_ALONE, CACHING, EXECUTION = 0, 1, 2
TENSOR_TYPES = {"float32": 0, "uint8": 3, "int8": 9}


@dataclass(frozen=True)
class Run:
    """One executable: its kind and how many bytes of parameters it brings."""

    kind: int
    parameters: int
    chip: str = "beagle"


def _table(builder: flatbuffers.Builder, fields: dict[int, tuple[str, Any]]) -> int:
    """A table with these numbered fields; ('ref', offset), ('i32', n), ('i16', n)."""
    builder.StartObject(max(fields) + 1)
    for number, (kind, value) in fields.items():
        if kind == "ref":
            builder.PrependUOffsetTRelativeSlot(number, value, 0)
        elif kind == "i32":
            builder.PrependInt32Slot(number, value, 0)
        else:
            builder.PrependInt16Slot(number, value, 0)
    return int(builder.EndObject())


def executable(run: Run) -> bytes:
    builder = flatbuffers.Builder()
    parameters, chip = builder.CreateByteVector(bytes(run.parameters)), builder.CreateString(run.chip)
    builder.Finish(_table(builder, {6: ("ref", parameters), 10: ("ref", chip), 13: ("i16", run.kind)}))
    return bytes(builder.Output())


def package(*runs: Run, min_runtime: int = 14, mark: bytes = b"DWN1") -> bytes:
    inner = flatbuffers.Builder()
    texts = [inner.CreateByteVector(executable(run)) for run in runs]
    inner.StartVector(4, len(texts), 4)
    for text in reversed(texts):
        inner.PrependUOffsetTRelative(text)
    inner.Finish(_table(inner, {0: ("ref", inner.EndVector())}))
    builder = flatbuffers.Builder()
    held = builder.CreateByteVector(bytes(inner.Output()))
    compiler = builder.CreateString("16.0.384591198")
    fields = {0: ("i32", min_runtime), 1: ("ref", held), 4: ("ref", compiler)}
    builder.Finish(_table(builder, fields), mark)
    return bytes(builder.Output())


def flexbuffer(value: bytes, key: bytes = b"4") -> bytes:
    """A flexbuffer map of one key whose value is a string: widths of four bytes throughout."""
    out = bytearray(key + b"\0")
    out += bytes(-len(out) % 4)
    out += struct.pack("<I", len(value))
    text = len(out)
    out += value + b"\0"
    out += bytes(-len(out) % 4)
    keys_size = len(out)
    out += struct.pack("<I", 1)
    keys = len(out)
    out += struct.pack("<I", keys - 0)  # the key starts the buffer
    assert keys_size % 4 == 0
    out += struct.pack("<II", len(out) - keys, 4)  # where the keys are, and how wide
    out += struct.pack("<I", 1)
    values = len(out)
    out += struct.pack("<I", len(out) - text)
    out += bytes([(5 << 2) | 2])  # the value: a string, four bytes wide
    out += bytes([len(out) - values, (9 << 2) | 2, 1])  # the root: a map, four bytes wide
    return bytes(out)


def compiled(
    options: bytes, *, left: tuple[int, ...] = (), shape: tuple[int, ...] = (1, 4, 4, 3), scale: float = 1.0
) -> bytes:
    """An int8 model of one edgetpu-custom-op, with builtin operators `left` in front of it."""
    quantised = fb.QuantizationParametersT(scale=[scale], zeroPoint=[-128])
    answers = fb.QuantizationParametersT(scale=[2.0], zeroPoint=[3])
    tensors = [fb.TensorT(shape=list(shape), type=9, buffer=0, name="image", quantization=quantised)]
    tensors += [
        fb.TensorT(shape=list(shape), type=9, buffer=0, name=f"middle{k}", quantization=quantised)
        for k in range(len(left))
    ]
    tensors.append(fb.TensorT(shape=[1, 3], type=9, buffer=0, name="answer", quantization=answers))
    codes = [fb.OperatorCodeT(deprecatedBuiltinCode=32, builtinCode=32, customCode="edgetpu-custom-op", version=1)]
    codes += [fb.OperatorCodeT(deprecatedBuiltinCode=code, builtinCode=code, version=2) for code in left]
    operators = [fb.OperatorT(opcodeIndex=1 + k, inputs=[k], outputs=[k + 1]) for k in range(len(left))]
    operators.append(
        fb.OperatorT(opcodeIndex=0, inputs=[len(left)], outputs=[len(left) + 1], customOptions=list(options))
    )
    graph = fb.SubGraphT(tensors=tensors, inputs=[0], outputs=[len(tensors) - 1], operators=operators)
    model = fb.ModelT(version=3, operatorCodes=codes, subgraphs=[graph], buffers=[fb.BufferT(data=[])])
    return flatbuffer.pack(model)


def dense(scales: int = 1) -> bytes:
    """An int8 model of one dense layer on the same image, with the same answer, as a compiler takes it."""
    weights = np.zeros((3, 48), np.int8)
    weights[range(3), range(3)] = 100  # the answer follows the first three pixels, as the stand-in's does
    grids = [
        fb.QuantizationParametersT(scale=[1.0], zeroPoint=[-128]),
        fb.QuantizationParametersT(scale=[0.01] * scales, zeroPoint=[0] * scales, quantizedDimension=0),
        fb.QuantizationParametersT(scale=[2.0], zeroPoint=[3]),
    ]
    shapes = [("image", [1, 4, 4, 3], 0), ("weights", [3, 48], 1), ("answer", [1, 3], 0)]
    tensors = [
        fb.TensorT(shape=shape, type=9, buffer=buffer, name=name, quantization=grid)
        for (name, shape, buffer), grid in zip(shapes, grids, strict=True)
    ]
    layer = fb.OperatorT(
        opcodeIndex=0,
        inputs=[0, 1, -1],
        outputs=[2],
        builtinOptionsType=fb.BuiltinOptions.FullyConnectedOptions,
        builtinOptions=fb.FullyConnectedOptionsT(),
    )
    graph = fb.SubGraphT(tensors=tensors, inputs=[0], outputs=[2], operators=[layer])
    code = fb.OperatorCodeT(deprecatedBuiltinCode=9, builtinCode=9, version=4)
    buffers = [fb.BufferT(data=[]), fb.BufferT(data=list(weights.tobytes()))]
    return flatbuffer.pack(fb.ModelT(version=3, operatorCodes=[code], subgraphs=[graph], buffers=buffers))


def swollen(run: Run, times: int) -> bytes:
    """A package that names one executable many times over."""
    inner = flatbuffers.Builder()
    text = inner.CreateByteVector(executable(run))
    inner.StartVector(4, times, 4)
    for _ in range(times):
        inner.PrependUOffsetTRelative(text)
    inner.Finish(_table(inner, {0: ("ref", inner.EndVector())}))
    builder = flatbuffers.Builder()
    held = builder.CreateByteVector(bytes(inner.Output()))
    builder.Finish(_table(builder, {1: ("ref", held)}), b"DWN1")
    return bytes(builder.Output())


def nested(times: int, deep: int) -> bytes:
    """A package for several chips, all of them one package, which is again one for several chips."""
    held = package(Run(CACHING, 10))
    for _ in range(deep):
        builder = flatbuffers.Builder()
        inside = _table(builder, {0: ("ref", builder.CreateByteVector(held))})
        builder.StartVector(4, times, 4)
        for _ in range(times):
            builder.PrependUOffsetTRelative(inside)
        builder.Finish(_table(builder, {6: ("ref", builder.EndVector())}), b"DWN1")
        held = bytes(builder.Output())
    return held

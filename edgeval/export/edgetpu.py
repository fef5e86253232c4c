"""The Edge TPU compiler's rules, checked on the file before the compiler sees it."""

from __future__ import annotations

from typing import Any

from edgeval.errors import ModelError

# Operators that the compiler maps to the Edge TPU (coral.ai, "TensorFlow models on the Edge TPU").
LISTED = """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D EXPAND_DIMS FULLY_CONNECTED L2_NORMALIZATION LOGISTIC LSTM
MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL PACK PAD PRELU QUANTIZE REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_N1_TO_1 RESHAPE
RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SQUARED_DIFFERENCE SQUEEZE
STRIDED_SLICE SUB SUM TANH TRANSPOSE TRANSPOSE_CONV
"""
SUPPORTED = frozenset(LISTED.split())
# Compiler 16.0 refuses later versions of these.
VERSION_MAX = {"CONV_2D": 5, "QUANTIZE": 2, "TRANSPOSE_CONV": 3}
HINT = "change the network, or export it for another device"


def check(data: bytes, name: str) -> None:
    """Raise ModelError, naming the operator, if compiler 16.0 would refuse this TFLite file or leave it on the CPU."""
    from edgeval.export import flatbuffer

    model = flatbuffer.parse(data)
    graph = model.subgraphs[0]
    if any(graph.tensors[i].shape is None or graph.tensors[i].shape[0] != 1 for i in graph.inputs):
        seen = [list(graph.tensors[i].shape) for i in graph.inputs]
        raise ModelError(f"{name}: the Edge TPU needs a batch of 1", seen=seen, hint="export it with batch 1")
    for operator, version, tensors in flatbuffer.operators(model):
        if reason := _refusal(operator, version, tensors):
            raise ModelError(f"{name}: the Edge TPU cannot run {operator}", seen=reason, hint=HINT)


def _refusal(operator: str, version: int, tensors: list[Any]) -> str:
    """Why one operator cannot be mapped, or nothing."""
    from edgeval.export.flatbuffer import type_name

    if operator not in SUPPORTED:
        return "not among the operators it knows"
    if version > VERSION_MAX.get(operator, version):
        return f"version {version}, its compiler knows up to {VERSION_MAX[operator]}"
    if real := [type_name(t) for t in tensors if type_name(t).startswith("float")]:
        return f"a {real[0]} tensor, it takes integers only"
    if any(t.shapeSignature is not None and -1 in t.shapeSignature for t in tensors):
        return "a shape that is known only when it runs"
    if operator == "FULLY_CONNECTED" and len(tensors[1].quantization.scale) > 1:
        return "weights with one scale per channel, which its runtime misreads"
    return ""

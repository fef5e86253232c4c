"""The Edge TPU compiler's rules, checked on the file before the compiler sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edgeval.errors import ModelError

# Operators that the compiler maps to the Edge TPU (coral.ai, "TensorFlow models on the Edge TPU").
LISTED = """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D EXP EXPAND_DIMS FULLY_CONNECTED L2_NORMALIZATION LOGISTIC
LSTM MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL PACK PAD PRELU QUANTIZE REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_N1_TO_1 RESHAPE
RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SQUARED_DIFFERENCE SQUEEZE
STRIDED_SLICE SUB SUM TANH TRANSPOSE TRANSPOSE_CONV
"""
SUPPORTED = frozenset(LISTED.split())
# Compiler 16.0 stops at later versions of these, and at these operators, which are younger than it is.
VERSION_MAX = {"CONV_2D": 5, "QUANTIZE": 2, "TRANSPOSE_CONV": 3, "EXP": 1}
UNKNOWN = frozenset({"GELU"})
BORDER = frozenset({"QUANTIZE", "DEQUANTIZE"})  # between float and int8: left on the CPU
INTEGERS = frozenset({"int8", "uint8", "int32", "bool"})
WEIGHTED = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})
COMPILED = "edgetpu-custom-op"
HINT = "change the network, or export it for another device"


@dataclass(frozen=True)
class Finding:
    """One operator that the Edge TPU cannot run, at which tensor and why; `refused` where the compiler stops at it.

    What is not refused is left on the CPU.
    """

    operator: str
    tensor: str
    reason: str
    refused: bool = True


def check(data: bytes, name: str, *, versions: Mapping[str, int] | None = None, strict: bool = True) -> list[Finding]:
    """Raise ModelError, naming operator and tensor, if compiler 16.0 would refuse this TFLite file.

    With `strict` also if it would leave an operator on the CPU; else these are returned. `versions` are further
    limits, from the card's op_versions_max.
    """
    from edgeval.export import flatbuffer

    model = flatbuffer.parse(data)
    with flatbuffer.intact():
        _check_batch(model.subgraphs[0], name)
        found = list(findings(model, {**VERSION_MAX, **(versions or {})}))
    stops = [finding for finding in found if strict or finding.refused]
    if stops:
        first, more = stops[0], f" ({len(stops) - 1} more operators)" if len(stops) > 1 else ""
        seen = f"{first.reason}, tensor {first.tensor}{more}"
        raise ModelError(f"{name}: the Edge TPU cannot run {first.operator}", seen=seen, hint=_hint(first))
    return found


def findings(model: Any, versions: Mapping[str, int]) -> Iterator[Finding]:
    """What is wrong with each operator, in the order of the model."""
    from edgeval.export import flatbuffer

    constant = [k > 0 and b.data is not None and len(b.data) > 0 for k, b in enumerate(model.buffers)]
    for operator, version, tensors in flatbuffer.operators(model):
        if operator == COMPILED:
            continue
        said = _refusal(operator, version, tensors, versions) or _shape(operator, tensors, constant)
        if said is not None:
            tensor, reason, refused = said
            yield Finding(operator, _name(tensor), reason, refused)


def _check_batch(graph: Any, name: str) -> None:
    """Raise ModelError unless each input has a fixed batch of 1."""
    for tensor in (graph.tensors[i] for i in graph.inputs):
        signature, shape = _sizes(tensor.shapeSignature), _sizes(tensor.shape)
        if signature[:1] == [-1] or shape[:1] != [1]:
            seen = "a free batch" if signature[:1] == [-1] else str(shape)
            what = f"{name}: the Edge TPU needs a batch of 1"
            raise ModelError(what, seen=f"{seen}, tensor {_name(tensor)}", hint="export it with batch 1")


Said = tuple[Any, str, bool] | None


def _refusal(operator: str, version: int, tensors: list[Any], versions: Mapping[str, int]) -> Said:
    """The tensor and the reason why one operator cannot be mapped by what it is and what it works on."""
    from edgeval.export.flatbuffer import type_name

    out = tensors[-1]
    if operator in UNKNOWN:
        return out, "younger than its compiler, which stops at it", True
    if version > versions.get(operator, version):
        return out, f"version {version}, its compiler knows up to {versions[operator]}", True
    odd = next((t for t in tensors if type_name(t) not in INTEGERS), None)
    if odd is not None and operator in BORDER:
        return odd, f"a {type_name(odd)} tensor at the model's border stays on the CPU", False
    if operator not in SUPPORTED:
        return out, "not among the operators it knows", False
    if odd is not None:
        return odd, f"a {type_name(odd)} tensor, it takes int8 and uint8 only", True
    return None


def _shape(operator: str, tensors: list[Any], constant: list[bool]) -> Said:
    """The tensor and the reason why one operator cannot be mapped by shapes, scales and constants."""
    for tensor in tensors:
        if -1 in _sizes(tensor.shapeSignature):
            return tensor, "a shape that is known only when it runs", True
    if operator == "FULLY_CONNECTED" and len(tensors[1].quantization.scale) > 1:
        return tensors[1], "weights with one scale per channel, which its runtime misreads", True
    weights = tensors[1] if operator in WEIGHTED else None
    if weights is not None and not constant[weights.buffer]:
        return weights, "weights that are no constants", False
    out = tensors[-1]
    shape = _sizes(out.shape)
    if len(shape) > 3 and any(size != 1 for size in shape[:-3]):
        return out, f"shape {shape}: only the three inner dimensions may be larger than 1", False
    return None


def _sizes(shape: Any) -> list[int]:
    return [] if shape is None else [int(size) for size in shape]


def _name(tensor: Any) -> str:
    name = tensor.name or b"without a name"
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _hint(finding: Finding) -> str:
    """What mends one finding."""
    if "per channel" in finding.reason:
        return "export it with --for coral"
    if "float" in finding.reason:
        return "quantise the whole model to int8, inputs and outputs too"
    if finding.reason.startswith("version"):
        return "export it with an older converter"
    return HINT

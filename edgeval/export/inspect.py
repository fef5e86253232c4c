"""What a model file is made of: operators, tensor types, version, input and output."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from edgeval.errors import ModelError
from edgeval.records.artifact import Tensor


@dataclass(frozen=True)
class Anatomy:
    """The parts of a model file.

    version: ONNX opset, or version of the TFLite schema; operators and tensor_types: name -> count;
    dimensions that are free are -1.
    """

    version: int
    operators: dict[str, int]
    tensor_types: dict[str, int]
    input: Tensor
    output: Tensor


def inspect(data: bytes, suffix: str) -> Anatomy:
    """The parts of an `onnx` or `tflite` file. Raises ModelError unless it has one input and one output."""
    if suffix not in ("onnx", "tflite"):
        raise ModelError("only .onnx and .tflite files can be read", seen=suffix)
    return _onnx(data) if suffix == "onnx" else _tflite(data)


def _counts(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _single(found: list[Tensor], what: str) -> Tensor:
    if len(found) != 1:
        raise ModelError(f"the model must have one {what}", seen=", ".join(t.name for t in found) or "none")
    return found[0]


def _tflite(data: bytes) -> Anatomy:
    from edgeval.export import flatbuffer

    model = flatbuffer.parse(data)
    graph = model.subgraphs[0]

    def tensor(index: int) -> Tensor:
        found = graph.tensors[index]
        grid = found.quantization
        quantised = grid is not None and grid.scale is not None and len(grid.scale) == 1
        shape = found.shape if found.shapeSignature is None else found.shapeSignature
        return Tensor(
            name=(found.name or b"").decode("utf-8", "replace"),
            shape=tuple(int(n) for n in shape),
            dtype=flatbuffer.type_name(found),
            scale=float(grid.scale[0]) if quantised else None,
            zero_point=int(grid.zeroPoint[0]) if quantised else None,
        )

    with flatbuffer.intact():
        return Anatomy(
            version=model.version,
            operators=_counts(name for name, _, _ in flatbuffer.operators(model)),
            tensor_types=_counts(flatbuffer.type_name(t) for t in graph.tensors),
            input=_single([tensor(i) for i in graph.inputs], "input"),
            output=_single([tensor(i) for i in graph.outputs], "output"),
        )


def _onnx(data: bytes) -> Anatomy:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ModelError("this is not an ONNX file", seen=error, hint="export or download it again") from error
    graph = onnx.shape_inference.infer_shapes(model).graph
    constants = {constant.name for constant in graph.initializer}

    def type_name(number: int) -> str:
        name = str(onnx.TensorProto.DataType.Name(number)).lower()
        return {"float": "float32", "double": "float64"}.get(name, name)

    def tensor(value: Any) -> Tensor:
        kind = value.type.tensor_type
        shape = tuple(int(d.dim_value) if d.HasField("dim_value") else -1 for d in kind.shape.dim)
        return Tensor(name=value.name, shape=shape, dtype=type_name(kind.elem_type))

    inputs = [value for value in graph.input if value.name not in constants]
    values = [v.type.tensor_type.elem_type for v in (*inputs, *graph.value_info, *graph.output)]
    return Anatomy(
        version=next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0),
        operators=_counts(node.op_type for node in graph.node),
        tensor_types=_counts(type_name(n) for n in (*values, *(c.data_type for c in graph.initializer))),
        input=_single([tensor(v) for v in inputs], "input"),
        output=_single([tensor(v) for v in graph.output], "output"),
    )

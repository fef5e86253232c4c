"""What an .onnx file says that ONNX Runtime does not pass on: files it needs, and the grids of integer tensors.

Reads the wire format of protobuf itself (protobuf.dev, "Encoding"), since `run` does not need the onnx package. Field
numbers are those of onnx.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edgeval.errors import IntegrityError, ModelError

# ModelProto.graph, GraphProto.node / initializer / input / output
GRAPH, NODE, INITIALIZER, INPUT, OUTPUT = 7, 1, 5, 11, 12
# NodeProto.input / output / op_type / attribute; AttributeProto.t / g / graphs
NODE_INPUT, NODE_OUTPUT, OP_TYPE, ATTRIBUTE, TENSOR_OF, GRAPHS_OF = 1, 2, 4, 5, 5, (6, 11)
# TensorProto.float_data / int32_data / name / raw_data / external_data
FLOATS, INTS, NAME, RAW, EXTERNAL = 4, 5, 8, 9, 13
MOVES = {"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"}
# Where an operator holds the scale and zero point of its first input, and of its output.
INPUT_GRIDS = {"DequantizeLinear": (1, 2), "QLinearConv": (1, 2), "QLinearMatMul": (1, 2)}
OUTPUT_GRIDS = {"QuantizeLinear": (1, 2), "QLinearConv": (6, 7), "QLinearMatMul": (6, 7)}

Grid = tuple[float, int]
Value = int | memoryview


@dataclass
class _Node:
    kind: str
    inputs: list[str]
    outputs: list[str]


@dataclass
class OnnxFile:
    """The files beside a model that hold its weights, and (scale, zero point) by name of input or output."""

    external: set[str] = field(default_factory=set)
    grids: dict[str, Grid] = field(default_factory=dict)


def read_onnx(path: Path) -> OnnxFile:
    """What the file says; nothing for a damaged one, which the runtime refuses."""
    found = OnnxFile()
    try:
        for number, graph in _fields(memoryview(path.read_bytes())):
            if number == GRAPH and isinstance(graph, memoryview):
                _read_graph(graph, found)
                found.grids = _grids(graph)
    except (ValueError, IndexError, struct.error, RecursionError):
        return OnnxFile(found.external)
    return found


def external_files(path: Path, found: OnnxFile) -> list[Path]:
    """The files with the model's weights. Raises IntegrityError for one outside its folder, ModelError for none."""
    folder, files = path.parent.resolve(), []
    for name in sorted(found.external):
        place = (folder / name).resolve() if "\0" not in name else folder.parent
        if not place.is_relative_to(folder) or Path(name).is_absolute():
            hint = "do not run it: a model has no business there; export it again"
            raise IntegrityError(f"{path.name} keeps weights outside its own folder", seen=name, hint=hint)
        if not place.is_file():
            raise ModelError(f"a file with weights of {path.name} is missing", seen=name, hint="put it beside it")
        files.append(place)
    return files


def _fields(data: memoryview) -> Iterator[tuple[int, Value]]:
    """(field number, value) of one message; numbers of fixed width come as their bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > len(data):
            raise ValueError("a field ends beyond the file")
        yield number, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number is too long")


def _read_graph(graph: memoryview, found: OnnxFile) -> None:
    """Collect the external files of a graph and of the graphs inside it."""
    for number, part in _fields(graph):
        if number == INITIALIZER and isinstance(part, memoryview):
            _read_tensor(part, found)
        elif number == NODE and isinstance(part, memoryview):
            for attribute in _messages(part, ATTRIBUTE):
                for tensor in _messages(attribute, TENSOR_OF):
                    _read_tensor(tensor, found)
                for inner in (g for place in GRAPHS_OF for g in _messages(attribute, place)):
                    _read_graph(inner, found)


def _read_tensor(tensor: memoryview, found: OnnxFile) -> None:
    for entry in _messages(tensor, EXTERNAL):
        words = {number: bytes(text).decode("utf-8", "replace") for number, text in _fields(entry) if text}
        if words.get(1) == "location":
            found.external.add(words.get(2, ""))


def _messages(data: memoryview, wanted: int) -> list[memoryview]:
    return [value for number, value in _fields(data) if number == wanted and isinstance(value, memoryview)]


def _texts(data: memoryview, wanted: int) -> list[str]:
    return [bytes(value).decode("utf-8", "replace") for value in _messages(data, wanted)]


def _grids(graph: memoryview) -> dict[str, Grid]:
    """Grids of the graph's inputs and outputs, seen through operators that only move numbers."""
    tensors = {_texts(t, NAME)[0]: t for t in _messages(graph, INITIALIZER) if _texts(t, NAME)}
    nodes = [_node(part) for part in _messages(graph, NODE)]
    users = {name: node for node in reversed(nodes) for name in node.inputs[:1]}
    makers = {name: node for node in nodes for name in node.outputs}
    found = {}
    for place, links, grids in ((INPUT, users, INPUT_GRIDS), (OUTPUT, makers, OUTPUT_GRIDS)):
        for value in _messages(graph, place):
            name = at = next(iter(_texts(value, 1)), "")
            while at in links and links[at].kind in MOVES and links[at].inputs:
                at = links[at].outputs[0] if place == INPUT else links[at].inputs[0]
            node = links.get(at)
            grid = _grid(node, grids[node.kind], tensors) if node and node.kind in grids else None
            if grid:
                found[name] = grid
    return found


def _node(data: memoryview) -> _Node:
    return _Node(next(iter(_texts(data, OP_TYPE)), ""), _texts(data, NODE_INPUT), _texts(data, NODE_OUTPUT))


def _grid(node: _Node, places: tuple[int, int], tensors: dict[str, memoryview]) -> Grid | None:
    """Scale and zero point that stand in the file as constants; None otherwise."""
    if len(node.inputs) <= places[0] or node.inputs[places[0]] not in tensors:
        return None
    scales, zeros = tensors[node.inputs[places[0]]], None
    if len(node.inputs) > places[1]:
        zeros = tensors.get(node.inputs[places[1]])
    raw = b"".join(bytes(part) for part in (*_messages(scales, RAW), *_messages(scales, FLOATS)))
    if len(raw) != 4:
        return None  # a grid a channel, or half precision
    return struct.unpack("<f", raw)[0], 0 if zeros is None else _zero_point(zeros)


def _zero_point(tensor: memoryview) -> int:
    """One whole number from an int8 or uint8 constant (TensorProto.data_type 3 or 2)."""
    kind = next((value for number, value in _fields(tensor) if number == 2 and isinstance(value, int)), 2)
    raw = b"".join(bytes(part) for part in _messages(tensor, RAW))
    if raw:
        return int.from_bytes(raw[:1], "little", signed=kind == 3)
    for number, value in _fields(tensor):
        if number == INTS:
            whole = value if isinstance(value, int) else _varint(value, 0)[0]
            return whole - (1 << 64) if whole >= 1 << 63 else whole
    return 0

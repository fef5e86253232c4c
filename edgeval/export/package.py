"""Files that the Edge TPU compiler wrote, read without it: what runs on the chip, what does not, how much memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from flatbuffers import encode, flexbuffers, number_types
from flatbuffers.table import Table

from edgeval.errors import ModelError
from edgeval.export import flatbuffer
from edgeval.export.edgetpu import COMPILED
from edgeval.records.compiled import CompiledCard, CompiledFile, CompilerReport

PACKAGE_KEY, PACKAGE_MARK = "4", b"DWN1"
# Fields of the package's tables, by their number (libedgetpu, executable/executable.fbs).
MIN_RUNTIME, EXECUTABLES, COMPILER, CHIPS = 0, 1, 4, 6
PARAMETERS, CHIP, KIND = 6, 10, 13
DEEPEST = 2  # a package for several chips holds one for each
CACHING = 1  # the kind of an executable that only loads parameters, which then stay on the chip


def is_compiled(data: bytes) -> bool:
    """Whether this TFLite file holds an operator that the Edge TPU compiler made. Raises ModelError."""
    return any(name == COMPILED for name, _, _ in flatbuffer.operators(flatbuffer.parse(data)))


def read_compiled(data: bytes, name: str) -> CompiledFile:
    """What a compiled file says of itself. Raises ModelError for one that is not compiled, or damaged."""
    model = flatbuffer.parse(data)
    graph = model.subgraphs[0]
    names = [flatbuffer.code_name(model.operatorCodes[op.opcodeIndex]) for op in graph.operators]
    parts = [op for op, kind in zip(graph.operators, names, strict=True) if kind == COMPILED]
    if not parts:
        hint = "compile it first: edgetpu_compiler -s MODEL.tflite"
        raise ModelError(f"{name} is not compiled for the Edge TPU", seen=f"no {COMPILED} operator", hint=hint)
    left = [kind for kind in names if kind != COMPILED]
    try:
        packages = [_package(bytes(bytearray(op.customOptions))) for op in parts]
        executables = [run for package in packages for run in _executables(package)]
        memory = [(_number(run, KIND, number_types.Int16Flags), len(_bytes(run, PARAMETERS))) for run in executables]
        return CompiledFile(
            parts=len(parts),
            left={kind: left.count(kind) for kind in sorted(set(left))},
            min_runtime=max(_number(package, MIN_RUNTIME, number_types.Int32Flags) for package in packages) or None,
            compiler=next((text for package in packages if (text := _text(package, COMPILER))), None),
            chip=next((text for run in executables if (text := _text(run, CHIP))), None),
            cached_bytes=sum(size for kind, size in memory if kind == CACHING),
            streamed_bytes=sum(size for kind, size in memory if kind != CACHING),
        )
    except flatbuffer.DAMAGED as error:
        what = f"{name}: what the Edge TPU compiler put into this file cannot be read"
        raise ModelError(what, seen=error, hint="compile it again") from error


def card_of(
    name: str,
    data: bytes,
    source: bytes | None,
    *,
    where: str = "prebuilt",
    args: tuple[str, ...] = (),
    report: CompilerReport | None = None,
) -> CompiledCard:
    """The card of a compiled file; `source` are the bytes that it was compiled from, where they are known.

    The share of mapped operators is the compiler's own where its report is there, else what is left outside says it.
    """
    said = read_compiled(data, name)
    left = sum(said.left.values())
    operators = len(flatbuffer.parse(source).subgraphs[0].operators) if source else None
    share = 1.0 if not left else None if operators is None else max(0, operators - left) / max(1, operators)
    if report is not None and report.rows:
        operators = sum(row.count for row in report.rows)
        share = report.mapped / max(1, operators)
    return CompiledCard(
        file=name,
        sha256=hashlib.sha256(data).hexdigest(),
        source_sha256=hashlib.sha256(source).hexdigest() if source else None,
        where=where,
        args=args,
        operators=operators,
        mapped_share=share,
        said=said,
        report=report,
    )


def border(data: bytes) -> list[str]:
    """Shapes, types, scales and zero points of inputs and outputs: what a compiler leaves as it is."""
    graph = flatbuffer.parse(data).subgraphs[0]
    return [_words(graph.tensors[i]) for i in (*graph.inputs, *graph.outputs)]


def _words(tensor: Any) -> str:
    """A tensor's type, shape, scale and zero point."""
    shape, grid = _numbers(tensor.shape), tensor.quantization
    scale, zero = (None, None) if grid is None else (_numbers(grid.scale), _numbers(grid.zeroPoint))
    return f"{flatbuffer.type_name(tensor)} {shape} scale {scale} zero point {zero}"


def _numbers(values: Any) -> str:
    return "" if values is None else ",".join(f"{float(value):.6g}" for value in values)


def _package(options: bytes) -> Table:
    """The package inside an operator's options, a flexbuffer map."""
    entry = flexbuffers.GetRoot(options).AsMap[PACKAGE_KEY]
    held = bytes(entry.AsBlob if entry.IsBlob else entry.AsStringBytes)
    if held[4:8] != PACKAGE_MARK:
        raise ValueError(f"identifier {held[4:8]!r}")
    return _root(held)


def _executables(package: Table, depth: int = 0) -> Iterator[Table]:
    """All executables of a package, those for several chips too."""
    held = _bytes(package, EXECUTABLES)
    if held:
        for run in _within(_vector(_root(held), 0), len(held)):
            yield _root(run)
    inner = list(_within((_bytes(table, 0) for table in _tables(package, CHIPS)), len(package.Bytes)))
    if inner and depth == DEEPEST:
        raise ValueError(f"packages within packages, {depth} deep")
    for one in inner:
        yield from _executables(_root(one), depth + 1)


def _within(parts: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Parts that can lie side by side in so many bytes. Raises ValueError where one is named many times over."""
    for part in parts:
        size -= len(part) + 1
        if size < 0:
            raise ValueError("its parts are larger than the whole")
        yield part


def _root(data: bytes) -> Table:
    return Table(data, encode.Get(number_types.UOffsetTFlags.packer_type, data, 0))


def _number(table: Table, field: int, flags: Any) -> int:
    """A number, 0 where it is missing."""
    at = table.Offset(4 + 2 * field)
    return int(table.Get(flags, at + table.Pos)) if at else 0


def _text(table: Table, field: int) -> str:
    at = table.Offset(4 + 2 * field)
    return table.String(at + table.Pos).decode("utf-8", "replace") if at else ""


def _bytes(table: Table, field: int) -> bytes:
    """A vector of bytes, empty where it is missing. Raises ValueError if it does not fit into the file."""
    at = table.Offset(4 + 2 * field)
    if not at:
        return b""
    start, size = table.Vector(at), table.VectorLen(at)
    if start + size > len(table.Bytes):
        raise ValueError("a vector goes beyond the end")
    return bytes(table.Bytes[start : start + size])


def _vector(table: Table, field: int) -> Iterator[bytes]:
    """The strings of a vector, as bytes."""
    at = table.Offset(4 + 2 * field)
    for k in range(table.VectorLen(at) if at else 0):
        yield bytes(table.String(table.Vector(at) + 4 * k))


def _tables(table: Table, field: int) -> Iterator[Table]:
    """The tables of a vector."""
    at = table.Offset(4 + 2 * field)
    for k in range(table.VectorLen(at) if at else 0):
        yield Table(table.Bytes, table.Indirect(table.Vector(at) + 4 * k))

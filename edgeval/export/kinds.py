"""The operators of a TFLite file by what they are in the network: attention, layer norm, dense, residual add ..."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from edgeval.export import flatbuffer

NAMED = {
    "BATCH_MATMUL": "attention",
    "SOFTMAX": "softmax",
    "GELU": "GELU",
    "FULLY_CONNECTED": "dense",
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"), "convolution"),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "SUM", "REDUCE_MAX"), "pooling"),
    **dict.fromkeys(("RELU", "RELU6", "HARD_SWISH", "LOGISTIC", "TANH", "ELU"), "activation"),
}
# These move numbers and change none: they follow what stands around them.
MOVES = """
RESHAPE TRANSPOSE SLICE STRIDED_SLICE SPLIT SPLIT_V PACK UNPACK PAD PADV2 MIRROR_PAD GATHER GATHER_ND CONCATENATION
SQUEEZE EXPAND_DIMS BROADCAST_TO SHAPE CAST QUANTIZE DEQUANTIZE TILE SPACE_TO_DEPTH DEPTH_TO_SPACE
"""
MOVING = frozenset(MOVES.split())
BEFORE_NORM = frozenset({"ADD", "MUL", "RESHAPE", "MEAN", "SUM", "SQUARED_DIFFERENCE", "SQUARE", "SUB"})
AFTER_NORM = frozenset({"MUL", "SUB", "ADD", "NEG", "RESHAPE"})
REDUCING, SPREADING = ("MEAN", "SUM"), ("SQUARED_DIFFERENCE", "SQUARE", "MUL")


@dataclass(frozen=True)
class _Op:
    """An operator: its kind in TFLite, its scope for the quantizer, the tensors that flow in (no constants) and out."""

    name: str
    scope: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def kinds(data: bytes) -> dict[str, tuple[str, ...]]:
    """Each kind of computing operator in a float file, in the order of the file, with the scopes of its operators."""
    ops = _operators(data)
    norms = {at for op in ops if op.name in ("RSQRT", "SQRT") for at in _norm(ops, op)}
    found: dict[str, list[str]] = {}
    for at, op in enumerate(ops):
        if op.name not in MOVING:
            kind = "LayerNorm" if at in norms else _kind(ops, op)
            found.setdefault(kind, []).append(op.scope)
    return {kind: tuple(scopes) for kind, scopes in found.items()}


def _kind(ops: list[_Op], op: _Op) -> str:
    """What an operator outside the norms is."""
    if op.name in ("MUL", "DIV") and len(op.inputs) == 1 and _feeds(ops, op, "BATCH_MATMUL"):
        return "attention"
    if op.name == "ADD":
        return "residual add" if len(op.inputs) == 2 else "adding constants"
    return NAMED.get(op.name, op.name)


def _feeds(ops: list[_Op], op: _Op, name: str) -> bool:
    """Whether an operator's output goes to one of this name, moved at most."""
    after = [other for other in ops if set(other.inputs) & set(op.outputs)]
    return any(other.name == name or (other.name in MOVING and _feeds(ops, other, name)) for other in after)


def _norm(ops: list[_Op], root: _Op) -> set[int]:
    """The places of the operators around one (inverse) square root that make a norm of it; empty where none do."""
    makers = {tensor: at for at, op in enumerate(ops) for tensor in op.outputs}
    found, source = {ops.index(root)}, None
    todo = list(root.inputs)
    while todo:  # back to the tensor whose squares are averaged
        at = makers.get(todo.pop(), -1)
        if at < 0 or ops[at].name not in BEFORE_NORM:
            continue
        found.add(at)
        if ops[at].name in SPREADING and any(ops[k].name in REDUCING for k in found):
            source = source or _origin(ops, makers, ops[at])
            todo += [tensor for tensor in ops[at].inputs if tensor not in source]
        else:
            todo += [tensor for tensor in ops[at].inputs if source is None or tensor not in source]
    return found | _after(ops, found, source) if source else set()


def _origin(ops: list[_Op], makers: dict[int, int], spread: _Op) -> set[int]:
    """The normalised tensor: what goes into the square, or into the difference that is squared, and is no mean."""
    before = set(spread.inputs)
    makes = [ops[makers[tensor]] for tensor in before if tensor in makers]
    if len(before) == 1 and makes and makes[0].name == "SUB":
        before = set(makes[0].inputs)
    return {tensor for tensor in before if not _is_mean(ops, makers, tensor)}


def _is_mean(ops: list[_Op], makers: dict[int, int], tensor: int) -> bool:
    """Whether a tensor is a mean, moved at most."""
    at = makers.get(tensor, -1)
    if at >= 0 and ops[at].name in MOVING:
        return _is_mean(ops, makers, ops[at].inputs[0])
    return at >= 0 and ops[at].name in REDUCING


def _after(ops: list[_Op], before: set[int], source: Iterable[int]) -> set[int]:
    """The operators that only combine what a norm made with the normalised tensor and with constants."""
    made = {tensor for at in before for tensor in ops[at].outputs} | set(source)
    found: set[int] = set()
    for at, op in enumerate(ops):  # a file's operators stand in the order in which they run
        fresh = set(op.inputs) - set(source)
        if at not in before and op.name in AFTER_NORM and fresh and set(op.inputs) <= made:
            found.add(at)
            made |= set(op.outputs)
    return found


def _operators(data: bytes) -> list[_Op]:
    """The operators of the main subgraph."""
    model = flatbuffer.parse(data)
    graph = model.subgraphs[0]
    constants = {
        at for at, tensor in enumerate(graph.tensors) if (model.buffers[tensor.buffer].data is not None)
    } - set(graph.inputs)

    def made(op: Any) -> _Op:
        flowing = tuple(int(i) for i in op.inputs if i >= 0 and i not in constants)
        outputs = tuple(int(i) for i in op.outputs)
        scope = "".join(f"{graph.tensors[i].name.decode('utf-8', 'replace')};" for i in outputs)
        return _Op(flatbuffer.code_name(model.operatorCodes[op.opcodeIndex]), scope, flowing, outputs)

    return [made(op) for op in graph.operators]

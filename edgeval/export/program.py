"""The door for networks from outside: torch.export archives (.pt2), loaded without running anything they carry.

`torch.export.load` unpickles sample inputs and constants, compiles names and guards into Python, and evaluates shape
expressions. So the archive is read here, anything but plain tensors and a graph of ATen operators is refused, and torch
loads a fresh archive that holds only what was checked.
"""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edgeval.errors import ModelError

SAVE = "save it again with torch.export.save(torch.export.export(net.eval(), (one_image,)), 'net.pt2')"
MODEL, INPUTS = "models/model.json", "data/sample_inputs/model.pt"
CONFIGS = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")
RECORD = re.compile(r"data/(weights/weight|constants/tensor)_\d+")
IGNORED = re.compile(r"\.data/\w+|byteorder|archive_format|archive_version|extra/.*|" + re.escape(INPUTS))
WORD = re.compile(r"[\w.+-]*", re.ASCII)
TARGET = re.compile(
    r"torch\.ops\.aten\.(?!from_file)_?[a-z]\w*\.[A-Za-z]\w*|_operator\.(getitem|add|sub|mul|floordiv|truediv|mod|neg)",
    re.ASCII,
)
NAMES = "Symbol Integer Rational Mul Add Pow Max Min Mod FloorDiv CeilDiv CleanDiv True False"
SYMBOLIC = frozenset(NAMES.split())
LEAF: dict[str, Any] = {"type": None, "context": None, "children_spec": []}
Shape = tuple[int | None, ...]
TRAINING = {"aten.batch_norm.default": 5, "aten.dropout.default": 2, "aten.dropout_.default": 2}


class Program(nn.Module):
    """An exported program as a module: float32 (N, C, H, W) -> (N, classes); its mode is fixed since its export."""

    def __init__(self, body: nn.Module, shape: Shape) -> None:
        super().__init__()
        self.body = body
        self.shape = shape
        self.fixed_batch = shape[0] == 1
        for part in self.modules():
            part.training = False

    def train(self, mode: bool = True) -> Program:
        return self

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether images of this shape (C, H, W) go in."""
        return all(own in (None, given) for own, given in zip(self.shape[1:], shape, strict=True))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.body(images)
        return logits


def load_pt2(path: Path) -> Program:
    """The network in a .pt2 file. Raises ModelError if it is damaged, holds more than plain tensors and ATen operators,
    was exported in training mode, or takes anything but float32 (N, C, H, W) with N free or 1.
    """
    clean = io.BytesIO(_rewrite(_records(path), path))
    try:
        program = torch.export.load(clean)
        module = program.module(check_guards=False)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError) as error:
        raise ModelError(f"{path} cannot be loaded by torch {torch.__version__}", seen=error, hint=SAVE) from error
    return Program(module, _input_shape(program, path))


def _records(path: Path) -> dict[str, bytes]:
    """The records of the archive by name, without the folder that holds them all."""
    if not path.is_file():
        raise ModelError("there is no such file", seen=path, hint="check the path")
    if path.stat().st_size == 0:
        raise ModelError("the file is empty (0 bytes)", seen=path, hint=SAVE)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise ModelError(f"{path} is not an archive of torch.export", seen="compressed records", hint=SAVE)
            return {entry.filename.partition("/")[2]: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise ModelError(f"{path} is not a whole .pt2 file", seen=error, hint=SAVE) from error


def _rewrite(records: dict[str, bytes], path: Path) -> bytes:
    """A fresh archive with the checked graph and the plain tensors only."""
    from torch.export.pt2_archive._package import PT2ArchiveWriter

    if records.get("archive_format") != b"pt2" or MODEL not in records or any(name not in records for name in CONFIGS):
        raise ModelError(f"{path} is not an archive of torch.export", seen=", ".join(list(records)[:4]), hint=SAVE)
    buffer = io.BytesIO()
    with PT2ArchiveWriter(buffer) as writer:
        for name, data in records.items():
            if name == MODEL or name in CONFIGS:
                writer.write_bytes(name, json.dumps(_checked(_json(data, path), path)).encode())
            elif RECORD.fullmatch(name):
                writer.write_bytes(name, data)
            elif not IGNORED.fullmatch(name):
                raise _refusal(path, f"the record {name}")
        writer.write_bytes(INPUTS, b"")
    return buffer.getvalue()


def _json(data: bytes, path: Path) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise ModelError(f"{path} is damaged: its graph is not JSON", seen=error, hint=SAVE) from error


def _checked(value: Any, path: Path, key: str = "") -> Any:
    """The JSON without metadata and guards; raises ModelError for any string that torch might run."""
    if isinstance(value, dict):
        if value.get("use_pickle") or any(not WORD.fullmatch(name) for name in value):
            raise _refusal(path, "a pickled tensor" if value.get("use_pickle") else "a name that is no name")
        return {name: _emptied(name, part, path) for name, part in value.items()}
    if isinstance(value, list):
        return [_checked(part, path, key) for part in value]
    if isinstance(value, str) and not _harmless(key, value):
        raise _refusal(path, f"{key} {value[:80]}")
    return value


def _emptied(name: str, part: Any, path: Path) -> Any:
    """What stands under one key: nothing for the parts that no conversion needs."""
    if name in ("metadata", "guards_code") and isinstance(part, dict | list):
        return type(part)()
    return _checked(part, path, name)


def _harmless(key: str, text: str) -> bool:
    """Whether a string of the graph is what its key promises."""
    if key == "target":
        return bool(TARGET.fullmatch(text))
    if key == "expr_str":
        return _is_arithmetic(text)
    if key in ("in_spec", "out_spec"):
        return _is_one_tensor(key, text)
    return bool(WORD.fullmatch(text))


def _is_arithmetic(text: str) -> bool:
    """Whether a shape expression is made of symbols, numbers and plain arithmetic."""
    try:
        nodes = list(ast.walk(ast.parse(text, mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    plain = (ast.Expression, ast.Call, ast.keyword, ast.Constant, ast.Name, ast.Load, ast.BinOp, ast.UnaryOp)
    signs = (ast.operator, ast.unaryop)
    for node in nodes:
        if not isinstance(node, plain + signs):
            return False
        if isinstance(node, ast.Name) and node.id not in SYMBOLIC and not re.fullmatch(r"[su]\d+", node.id):
            return False
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not re.fullmatch(r"[su]\d+", node.value):
            return False
    return True


def _is_one_tensor(key: str, text: str) -> bool:
    """Whether the program takes one positional tensor (`in_spec`), or gives one (`out_spec`)."""
    one = {"type": "builtins.tuple", "context": "null", "children_spec": [LEAF]}
    none = {"type": "builtins.dict", "context": "[]", "children_spec": []}
    both = {"type": "builtins.tuple", "context": "null", "children_spec": [one, none]}
    try:
        return bool(json.loads(text) == [1, both if key == "in_spec" else LEAF])
    except ValueError:
        return False


def _refusal(path: Path, what: str) -> ModelError:
    hint = "edgeval reads graphs of ATen operators, one tensor in and one out, whose tensors are stored plainly"
    return ModelError(f"{path} holds what edgeval does not load from files", seen=what, hint=hint)


def _input_shape(program: torch.export.ExportedProgram, path: Path) -> Shape:
    """What goes in: (N, C, H, W), None where free. Raises ModelError unless that is float32 with N free or 1."""
    for node in program.graph.nodes:
        at = TRAINING.get(str(node.target))
        if at is not None and len(node.args) > at and node.args[at]:
            raise ModelError(f"{path} was exported in training mode", seen=node.target, hint=SAVE)
    given = [node.meta["val"] for node in program.graph.nodes if node.name in program.graph_signature.user_inputs]
    if len(given) != 1 or not isinstance(given[0], Tensor) or given[0].ndim != 4 or given[0].dtype != torch.float32:
        seen = ", ".join(f"{value.dtype} {tuple(value.shape)}" for value in given if isinstance(value, Tensor))
        raise ModelError(f"{path} must take one float32 tensor (N, C, H, W)", seen=seen or "no tensor", hint=SAVE)
    shape = tuple(size if isinstance(size, int) else None for size in given[0].shape)
    if shape[0] not in (None, 1):
        hint = "export it with one image, or with dynamic_shapes=({0: torch.export.Dim('batch')},)"
        raise ModelError(f"{path} takes batches of {shape[0]} only", seen=shape, hint=hint)
    return shape

"""A model file made ready for an Edge TPU: checked, compiled or found compiled, read, and held against the card."""

from __future__ import annotations

from pathlib import Path

from edgeval.errors import IntegrityError, ModelError
from edgeval.export import edgetpu, package
from edgeval.records.compiled import CompiledCard
from edgeval.records.reporter import Reporter
from edgeval.records.target import Target
from edgeval.store import Store
from edgeval.workflow.compiling import SUFFIX, made

SHOWN = 5  # operators that stay on the CPU, said before compiling


def compiled_for(target: Target, model: Path, store: Store, reporter: Reporter) -> tuple[Path, CompiledCard]:
    """The file that the Edge TPU runs in place of this one, and its card.

    A compiled file counts as it is; then a prebuilt `*_edgetpu.tflite` beside the model; then what the card's
    compiler made or makes. Raises ModelError for what the compiler or the card refuses, MissingError or
    RuntimeMissing where there is no compiler.
    """
    data = _read(model)
    if package.is_compiled(data):
        path, card = model, package.card_of(model.name, data, _source_of(model, data))
    else:
        stay = edgetpu.check(data, model.name, versions=target.model.op_versions_max, strict=False)
        for finding in stay[:SHOWN]:
            why = f"{finding.reason}, tensor {finding.tensor}"
            reporter.say(f"{model.name}: {finding.operator} stays on the CPU: {why}")
        path, card = _prebuilt(model, data) or made(target, model, data, store, reporter)
    reporter.say(f"{path.name}: {card.in_words()}")
    accept(target, card)
    return path, card


def accept(target: Target, card: CompiledCard) -> None:
    """Raise ModelError unless a compiled file reaches what the card's [accept] table asks."""
    least, most = target.accept.mapped_ops_min, target.accept.cached_bytes_max
    if least is not None and (card.mapped_share is None or card.mapped_share < least):
        left = ", ".join(f"{count} {name}" for name, count in sorted(card.said.left.items()))
        share = "unknown: the file that it was compiled from is not beside it"
        share = share if card.mapped_share is None else f"{card.mapped_share:.1%}"
        hint = "change these operators, or lower mapped_ops_min in the card's [accept] table"
        seen = f"{share}; on the CPU: {left or 'none'}"
        raise ModelError(f"{card.file}: fewer than {least:.1%} of its operators are mapped", seen=seen, hint=hint)
    if most is not None and card.said.cached_bytes > most:
        what = f"{card.file}: its parameters take more of the chip's memory than cached_bytes_max"
        hint = "take a smaller rung, or raise it in the card's [accept] table"
        raise ModelError(what, seen=f"{card.said.cached_bytes:,} bytes, at most {most:,}", hint=hint)


def _prebuilt(model: Path, data: bytes) -> tuple[Path, CompiledCard] | None:
    """The compiled file beside the model, if there is one. Raises IntegrityError if it is of another model."""
    path = model.with_name(model.stem + SUFFIX)
    if not path.is_file():
        return None
    found = _read(path)
    one, two = package.border(data), package.border(found)
    if one != two:
        seen = next(f"{b}, the model: {a}" for a, b in zip([*one, "none"], [*two, "none"], strict=False) if a != b)
        hint = f"compile it again, or remove {path}"
        raise IntegrityError(f"{path.name} was not compiled from {model.name}", seen=seen, hint=hint)
    return path, package.card_of(path.name, found, data)


def _source_of(model: Path, data: bytes) -> bytes | None:
    """What a compiled file was compiled from, if that lies beside it under the compiler's naming."""
    if not model.name.endswith(SUFFIX):
        return None
    beside = model.with_name(model.name.removesuffix(SUFFIX) + ".tflite")
    source = _read(beside) if beside.is_file() else None
    return source if source is not None and package.border(source) == package.border(data) else None


def _read(path: Path) -> bytes:
    """The bytes of a .tflite file. Raises ModelError."""
    if path.suffix.lower() != ".tflite":
        raise ModelError("the Edge TPU runs .tflite files", seen=path.name, hint="edgeval export --for coral makes one")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError("the model file cannot be read", seen=error, hint="check the path") from error

"""Microcontrollers: what a file tells before it runs, the arena that a model needs, and the limits of a card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgeval.errors import ModelError
from edgeval.records.arena import Arena
from edgeval.records.target import Target
from edgeval.run.agent import flatfile
from edgeval.run.ask import ask
from edgeval.run.host import Host
from edgeval.run.intake import read_arena
from edgeval.run.job import Job
from edgeval.run.operators import MICRO, operator_name

ENGINE = "tflm"
CHUNK = 100  # images between two signs of life: reference kernels are slow
EDGE_TPU = "edgetpu-custom-op"
WEIGHED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
FIDELITY = (
    "bit-exact: TensorFlow Lite Micro's own reference kernels, compiled for this computer; CMSIS-NN promises the same "
    "bits, ESP-NN and other vendors' kernels do not"
)


FLOATS = (
    "approximate: the model has float operators, whose last bits depend on the compiler and the processor; only int8 "
    "and int16 operators are bit-exact"
)
CASTS = ("QUANTIZE", "DEQUANTIZE")
UNPACKED = "DEQUANTIZE of weights"

_MEASURED: dict[tuple[str, str], Arena] = {}  # by the model's path on its host and the version of TFLM


def is_micro(target: Target) -> bool:
    """Whether TFLM stands in on this computer for a microcontroller."""
    return target.runtime.engine == ENGINE and target.transport.type == "local"


def fidelity_of(model: Path, said: str | None) -> str | None:
    """`said` of the card or of TFLM, unless the model computes in float."""
    try:
        parts = flatfile.read(model.read_bytes())
    except (OSError, ValueError):
        return said
    computing = (op for op in parts.operators if operator_name(op.number, op.custom) not in CASTS)
    floats = any(parts.tensors[i].dtype.startswith("float") for op in computing for i in op.outputs if i >= 0)
    return FLOATS if floats else said


def check_file(model: Path, target: Target) -> None:
    """Raise ModelError for a file that TFLM cannot run, or would answer with garbage, or that flash does not hold."""
    if target.runtime.engine != ENGINE or not model.is_file():
        return
    try:
        parts = flatfile.read(model.read_bytes())
    except ValueError as error:
        raise ModelError(f"{model.name}: {error}", hint="export it again, or check that the file is whole") from error
    if parts.outside:
        raise ModelError(
            f"{model.name}: constants lie outside the flatbuffer, where TensorFlow Lite Micro reads nothing",
            seen=f"{parts.outside:,} bytes",
            hint="edgeval export writes them inside; ai-edge-quantizer and other tools move them out above 256 KiB",
        )
    refused = Counter(_refused(parts))
    if refused:
        seen = ", ".join(f"{count} x {what}" for what, count in refused.items())
        raise ModelError(f"{model.name}: TensorFlow Lite Micro cannot run it", seen=seen, hint=_hint(refused))
    check_flash(model.stat().st_size, model.name, target)


def _refused(parts: flatfile.FlatFile) -> Iterator[str]:
    """Each operator that TFLM does not have, or not for such weights.

    It unpacks int8 weights with the first channel's scale for all of them, without a message.
    """
    for operator in parts.operators:
        name = operator_name(operator.number, operator.custom)
        if name == EDGE_TPU or (not operator.custom and name not in MICRO):
            yield name
        elif name in WEIGHED and any(parts.tensors[i].dtype == "uint8" for i in operator.inputs[1:2]):
            yield f"{name} with uint8 weights"
        elif name == "DEQUANTIZE" and any(parts.tensors[i].constant for i in operator.inputs):
            yield UNPACKED


def _hint(refused: Counter[str]) -> str:
    if EDGE_TPU in refused:
        return "give the file that the Edge TPU compiler took, not the one it made"
    if any("uint8" in what for what in refused):
        return "quantise to int8, not uint8: edgeval export does"
    if UNPACKED in refused:
        return "export it as tflite-int8 or tflite-16x8: edgeval export LADDER --format tflite-16x8"
    return "replace these operators in the network, or measure on the board itself: edgeval reads tables of predictions"


def fit(host: Host, words: dict[str, Any], job: Job) -> Arena:
    """The arena that the job's model needs there, measured once. Raises what the agent reports, and ModelError."""
    place = words["model"], words["version"]  # the path holds the content's hash, and the host's own folder
    arena = _MEASURED.get(place)
    if arena is None:
        header, _ = ask(host, ("arena", words), "arena", job.model.name)
        arena = _MEASURED[place] = read_arena(header)
    check_arena(arena, job.model.name, job.target)
    return arena


def check_flash(size: int, name: str, target: Target) -> None:
    """Raise ModelError if the file alone is larger than the card's flash."""
    limit = target.limits.flash_kb
    if limit is not None and size > 1000 * limit:
        seen = f"{size / 1000:,.1f} kB of {limit:,} kB"
        hint = "take a smaller rung, or mend flash_kb in the card's [limits] table"
        raise ModelError(f"{name} does not fit the flash of {target.name}", seen=seen, hint=hint)


def check_arena(arena: Arena | None, name: str, target: Target) -> None:
    """Raise ModelError if the arena is larger than the card's RAM, or than what the card accepts."""
    if arena is None:
        return
    need, parts = (
        arena.smallest / 1000,
        f"activations {arena.head / 1000:,.1f} kB, the rest {arena.tail / 1000:,.1f} kB",
    )
    ram, accepted = target.limits.ram_kb, target.accept.arena_kb
    if ram is not None and need > ram:
        hint = "take a smaller rung, or mend ram_kb in the card's [limits] table"
        what = f"the tensor arena of {name} does not fit the RAM of {target.name}"
        raise ModelError(what, seen=f"{need:,.1f} kB of {ram:,} kB: {parts}", hint=hint)
    if accepted is not None and need > accepted:
        hint = "take a smaller rung, or raise arena_kb in the card's [accept] table"
        what = f"the tensor arena of {name} is larger than {target.name} accepts"
        raise ModelError(what, seen=f"{need:,.1f} kB, at most {accepted:g} kB: {parts}", hint=hint)

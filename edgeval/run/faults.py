"""What the agent reports, as the errors that users meet."""

from __future__ import annotations

from typing import Any

from edgeval.errors import (
    BenchError,
    CardError,
    EdgevalError,
    IntegrityError,
    ModelError,
    RuntimeMissing,
    UnreachableError,
)
from edgeval.run.intake import read_fault

KINDS: dict[str, tuple[type[EdgevalError], str]] = {
    "model": (ModelError, "export it again, or check that the file is whole"),
    "input-shape": (ModelError, "give images of the model's size, or a model of batch 1"),
    "outputs": (ModelError, "give a model with one output of shape (1, classes)"),
    "classes": (ModelError, "give data with the model's classes, all of them and in its order"),
    "kernels": (CardError, "set kernels = 'auto' in the card's [runtime] table"),
    "delegate": (RuntimeMissing, "check the card's [runtime.delegate] table"),
    "delegate-device": (UnreachableError, "check the device"),
    "delegate-pair": (RuntimeMissing, "install versions that go together"),
    "tool-missing": (RuntimeMissing, "install it, or name a host that has it"),
    "tool-timeout": (BenchError, "raise timeout_s in the card's [compile] table"),
    "residency": (IntegrityError, "compile it for the device"),
    "arena": (ModelError, "make the network smaller"),
    "inputs": (IntegrityError, "run it again"),
    "runtime": (RuntimeMissing, "install a version that fits the device's Python and numpy"),
    "crash": (BenchError, "try another version of the runtime; what was saved is kept"),
    "timeout": (BenchError, "raise it in the card's [limits] table; what was saved is kept"),
    "counter": (BenchError, "use an emulated board"),
    "memory": (BenchError, "use a smaller model; what was saved is kept"),
    "worker": (BenchError, "run it again; what was saved is kept"),
}

KILLED = (-9, 128 + 9, 255)  # by signal 9 here, there, or with the program that watches over it there


def as_error(fault: dict[str, Any], model: str, complaint: str) -> EdgevalError:
    """The error for an `error` frame; `complaint` is the last line of the agent's standard error."""
    fault = read_fault(fault)
    kind, hint = KINDS.get(fault["code"], (BenchError, "run it again"))
    hint = fault.get("hint") or hint
    what = f"{model}: {fault['message']}" if issubclass(kind, ModelError) else fault["message"]
    seen = f"{fault['seen']}: {complaint}" if fault["code"] == "worker" else fault["seen"]
    return kind(what, seen=seen or None, hint=hint)


def stopped(status: int | None, complaint: str) -> EdgevalError:
    """The error for an agent that ended without a word of its own."""
    killed = status in KILLED
    what = "the agent was ended on the device, often for too little memory" if killed else "the agent stopped"
    hint = "run it again; what was saved is kept"
    return BenchError(what, seen=f"exit status {status}: {complaint}", hint=hint)

"""TFLite files in TensorFlow Lite Micro: the kernels that a microcontroller runs, compiled for this computer."""

from __future__ import annotations

import os
import re
import tempfile
from typing import TYPE_CHECKING, Any, Callable, Dict, Tuple

import numpy as np

from . import flatfile
from .frames import Fault
from .model import Model, check_inputs, choose, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MODULE = "tflite_micro.python.tflite_micro.runtime"
FAILURES = (RuntimeError, ValueError, IndexError, TypeError)
ROOMY = 1 << 20
UNKNOWN = re.compile(r"Didn't find op for (?:builtin|custom) opcode '?([^'\s]+)'?")
TOO_SMALL = re.compile(r"Failed to (?:resize buffer|allocate \w+ memory)\. Requested: .*|.*arena.*too small.*", re.I)


class Overheard:
    """What C code writes to standard error within the `with` block, as `text`: TFLM gives its reasons only there."""

    text = ""

    def __enter__(self) -> "Overheard":
        self._file = tempfile.TemporaryFile()
        self._kept = os.dup(2)
        os.dup2(self._file.fileno(), 2)
        return self

    def __exit__(self, *error: object) -> None:
        os.dup2(self._kept, 2)
        os.close(self._kept)
        self._file.seek(0)
        self.text = self._file.read().decode("utf-8", "replace")
        self._file.close()


def open_tflm(job: Dict[str, Any]) -> Model:
    """A TFLite file in TFLM, in an arena of the job's size. Raises Fault."""
    data, parts = contents(job["model"])
    interpreter = allocate(job, data, job.get("arena") or max(ROOMY, 10 * len(data)))
    check_inputs(parts.inputs)
    names = [parts.tensors[place].name for place in parts.outputs]
    described = [_tensor(interpreter.get_output_details(k), name) for k, name in enumerate(names)]
    chosen = choose(described, job)
    taken = _tensor(interpreter.get_input_details(0), parts.tensors[parts.inputs[0]].name)
    about = {"delegate": None, "delegated": 0, "arena_bytes": job.get("arena")}
    return Model(_bind(interpreter, chosen), (taken, described[chosen]), FAILURES, about)


def contents(path: str) -> Tuple[bytes, flatfile.FlatFile]:
    """The bytes of a model file and its parts. Raises Fault."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        return data, flatfile.read(data)
    except (OSError, ValueError) as error:
        raise Fault("model", "the model file cannot be read", str(error)) from error


def allocate(job: Dict[str, Any], data: bytes, arena: int) -> Any:
    """An interpreter that has answered once within `arena` bytes. Raises Fault with TFLM's own reason."""
    runtime = load(MODULE, job)
    said = Overheard()
    try:
        with said:
            interpreter = runtime.Interpreter.from_bytes(data, arena_size=arena)
            details = interpreter.get_input_details(0)
            interpreter.set_input(np.zeros(details["shape"], details["dtype"]), 0)
            interpreter.invoke()
    except FAILURES as error:
        raise reason(said.text, str(error), job["version"]) from error
    return interpreter


def reason(said: str, error: str, version: str) -> Fault:
    """Why TFLM does not take a model, from what it wrote."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    unknown = UNKNOWN.search(said)
    if unknown:
        message = "TensorFlow Lite Micro has no operator {}".format(unknown.group(1))
        return Fault("model", message, "tflite-micro " + version, "replace that operator in the network")
    small = TOO_SMALL.search(said)
    if small:
        return Fault("arena", "the tensor arena is too small for the model", small.group(0).strip())
    seen = "; ".join(lines[:3]) or error
    return Fault("model", "TensorFlow Lite Micro refuses the model", seen, "export it as full int8")


def _bind(interpreter: Any, chosen: int) -> Callable[["Array"], "Array"]:
    set_input, invoke, get_output = interpreter.set_input, interpreter.invoke, interpreter.get_output

    def answer(prepared: "Array") -> "Array":
        set_input(prepared, 0)
        invoke()
        row: "Array" = get_output(chosen)
        return row

    return answer


def _tensor(details: Dict[str, Any], name: str) -> Dict[str, Any]:
    """A tensor of the model, as allocated."""
    grid = details["quantization_parameters"]
    scales, zero_points = grid["scales"], grid["zero_points"]
    return {
        "name": name,
        "shape": [int(size) for size in details["shape"]],
        "dtype": np.dtype(details["dtype"]).name,
        "scale": float(scales[0]) if len(scales) else None,
        "zero_point": int(zero_points[0]) if len(scales) else None,
    }

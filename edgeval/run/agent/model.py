"""An opened model as one function from an input to the raw output, and what all runtimes have in common."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Sequence, Tuple, Type

import numpy as np

from .frames import Fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

NO_MEMORY = ("bad_alloc", "bad allocation", "Failed to allocate memory", "annot allocate memory", "out of memory")
UNKNOWN_OPERATOR = ("is not a registered function/op", "unresolved custom op", "No Op registered for")


class Model:
    """An opened model.

    `answer` takes one input (1, ...) and gives the output; `input` and `output` describe the tensors;
    `about` says what is known of how it runs.
    """

    def __init__(
        self,
        answer: Callable[["Array"], "Array"],
        tensors: Tuple[Dict[str, Any], Dict[str, Any]],
        failures: Tuple[Type[Exception], ...],
        about: Dict[str, Any],
    ) -> None:
        self.answer, self.failures, self.about = answer, failures, about
        self.input, self.output = tensors

    def first(self, prepared: "Array", classes: Optional[int]) -> "Array":
        """The first answer, which shows whether the model runs and gives one row of `classes` numbers. Raises Fault."""
        try:
            row = np.asarray(self.answer(prepared))
        except self.failures as error:
            raise _failing(error) from error
        if sum(size != 1 for size in row.shape) > 1 or not row.size:
            raise Fault("outputs", "the model must give one row of numbers an image", "output {}".format(row.shape))
        if row.dtype.kind not in "fiu":
            raise Fault("outputs", "the model must give numbers", str(row.dtype))
        if classes and row.size != classes:
            seen = "{} outputs, {} classes".format(row.size, classes)
            raise Fault("classes", "the model does not answer for the classes of the data", seen, _about(row, classes))
        if row.ndim != 2 or row.shape[0] != 1:
            answer = self.answer
            self.answer = lambda prepared: answer(prepared).reshape(-1)
        return row


def _about(row: "Array", classes: int) -> str:
    """What a difference between outputs and classes is likely to be."""
    if row.size == 1:
        return "a single output cannot be compared as classes: give a model with one output a class"
    if row.size == classes + 1:
        return (
            "if output 0 is a background class, name it: a first line in classes.txt, or class_names and labels "
            "from 1 in the .npz (edgeval diagnose tells)"
        )
    return "name all classes of the model in its order: classes.txt beside the images, or class_names in the .npz"


def choose(outputs: Sequence[Dict[str, Any]], job: Dict[str, Any]) -> int:
    """The place of the output to read: the one that was asked for, the only one, or the only one that fits the classes.

    Raises Fault.
    """
    names = ", ".join("{} {}".format(o["name"], "x".join(str(s or "?") for s in o["shape"])) for o in outputs)
    seen = "{} outputs: {}".format(len(outputs), names)
    asked = job.get("output")
    if asked:
        fitting = [i for i, output in enumerate(outputs) if output["name"] == asked]
        if len(fitting) != 1:
            raise Fault("outputs", "no output of the model is called {}".format(asked), seen, "give one of these")
        return fitting[0]
    if len(outputs) == 1:
        return 0
    fitting = [i for i, output in enumerate(outputs) if _columns(output["shape"]) == job.get("classes")]
    if len(fitting) != 1:
        raise Fault("outputs", "it is not clear which output of the model counts", seen, "say which: --output NAME")
    return fitting[0]


def _columns(shape: Sequence[Any]) -> Optional[int]:
    """How many numbers an output of this shape gives an image, None where that is not one row."""
    sizes = [size for size in shape[1:] if size != 1]
    return sizes[0] if len(sizes) == 1 else 1 if not sizes else None


def refusal(error: Exception) -> Fault:
    """Why a runtime does not open a model."""
    text = " ".join(str(error).split())
    if "edgetpu-custom-op" in text:
        hint = "run it on an edgetpu target, or give the file that it was compiled from"
        return Fault("model", "the model is compiled for the Edge TPU, and no Edge TPU delegate is loaded", text, hint)
    if any(words in text for words in NO_MEMORY):
        return no_memory(text)
    if any(words in text for words in UNKNOWN_OPERATOR):
        hint = "replace the operator, or run the model where its library is"
        return Fault("model", "the model uses an operator that the runtime does not have", text, hint)
    return Fault("model", "the runtime refuses the model", text)


def no_memory(text: str) -> Fault:
    """The device cannot hold what the model needs."""
    return Fault("memory", "the device has too little memory for this run", text)


def _failing(error: Exception) -> Fault:
    """Why an opened model gives no answer."""
    if any(words in str(error) for words in NO_MEMORY):
        return no_memory(str(error))
    return Fault("model", "the model fails on its first input", str(error))


def check_inputs(inputs: Any) -> None:
    """One input, or a Fault."""
    if len(inputs) != 1:
        seen = "{} inputs".format(len(inputs))
        raise Fault("input-shape", "the model must have one input", seen, "give a model that takes an image alone")


def load(module: str, job: Dict[str, Any]) -> Any:
    """Import a runtime. Raises Fault if it is installed but broken."""
    try:
        return importlib.import_module(module)
    except (ImportError, SystemError, AttributeError) as error:
        name = "{} {}".format(job["engine"], job["version"])
        raise Fault("runtime", "the runtime cannot be imported", "{}: {}".format(name, error)) from error

"""Keras files and SavedModels, run by TensorFlow itself in float."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Tuple

import numpy as np

from . import pixels
from .frames import Fault
from .model import Model, check_inputs, choose, load, refusal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Image = Tuple[int, int, int]

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
FAILURES = (ValueError, TypeError, RuntimeError, OSError, KeyError, AttributeError, ImportError, NotImplementedError)


def open_keras(job: Dict[str, Any], threads: int, image: "Image") -> Model:
    """A .keras or .h5 file, or a SavedModel folder, as one function from an image to an answer. Raises Fault.

    Nothing is deserialised that could run code of the file: safe mode, no Lambda, no pickle.
    """
    os.environ.update(QUIET)
    tensorflow = load("tensorflow", job)
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    try:
        run, shape, dtype = _load_any(tensorflow, job)
    except FAILURES as error:
        raise refusal(error) from error
    sizes = pixels.shapes(image)[pixels.layout(shape, image, job.get("layout", "auto"))]
    traced = tensorflow.function(run, input_signature=[tensorflow.TensorSpec(sizes, dtype)], autograph=False)
    try:
        outputs = _outputs(traced.get_concrete_function().structured_outputs)
    except FAILURES as error:
        raise Fault("model", "TensorFlow cannot trace the model", " ".join(str(error).split())) from error
    chosen = choose([_tensor(name, value) for name, value in outputs], job)
    name = outputs[chosen][0]
    made = _tensor(*outputs[chosen])
    taken = {"name": "input", "shape": list(sizes), "dtype": dtype, "scale": None, "zero_point": None}
    failures = (*FAILURES, tensorflow.errors.OpError)
    about = {"delegate": None, "delegated": None, "form": job["keras"]}
    return Model(_reader(traced, name), (taken, made), failures, about)


def _reader(traced: Any, name: str) -> Callable[["Array"], "Array"]:
    """One output of the traced model, as numpy."""

    def answer(prepared: "Array") -> "Array":
        row: "Array" = np.asarray(dict(_outputs(traced(prepared)))[name])
        return row

    return answer


def _load_any(tensorflow: Any, job: Dict[str, Any]) -> Tuple[Any, List[Any], str]:
    """The model as a function, its input shape (None: free) and type."""
    if job["keras"] == "savedmodel":
        loaded = tensorflow.saved_model.load(job["model"])
        if "serving_default" not in loaded.signatures:
            raise ValueError("the SavedModel has no signature serving_default")
        signature = loaded.signatures["serving_default"]
        specs = signature.structured_input_signature[1]
        check_inputs(specs)
        ((key, spec),) = specs.items()

        def run(image: Any) -> Any:
            return signature(**{key: image})

        run.kept = loaded  # type: ignore[attr-defined] # a signature does not keep its variables alive
        return run, list(spec.shape.as_list()), str(spec.dtype.name)
    model = load("keras", job).models.load_model(job["model"], compile=False, safe_mode=True)
    check_inputs(model.inputs)
    (given,) = model.inputs
    return lambda image: model(image, training=False), list(given.shape), str(given.dtype)


def _outputs(made: Any) -> List[Tuple[str, Any]]:
    """Outputs with names, whatever structure the model gives them in."""
    if isinstance(made, dict):
        return sorted(made.items())
    if isinstance(made, (list, tuple)):
        return [("output_{}".format(at), value) for at, value in enumerate(made)]
    return [("output_0", made)]


def _tensor(name: str, value: Any) -> Dict[str, Any]:
    """An output as the agent describes it."""
    shape = [size if isinstance(size, int) else None for size in value.shape]
    return {"name": name, "shape": shape, "dtype": str(value.dtype.name), "scale": None, "zero_point": None}

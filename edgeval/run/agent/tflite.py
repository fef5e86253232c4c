"""TFLite files in LiteRT, tflite-runtime or TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Tuple

import numpy as np

from . import delegates, pixels
from .frames import Fault
from .model import Model, check_inputs, choose, load, refusal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Image = Tuple[int, int, int]

INTERPRETERS = {
    "litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
    "tensorflow": "tensorflow.lite.python.interpreter",
}
RESOLVERS = {"builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "reference": "BUILTIN_REF"}


def open_tflite(job: Dict[str, Any], threads: int, image: "Image") -> Model:
    """A TFLite file in LiteRT, tflite-runtime or TensorFlow."""
    module = load(INTERPRETERS[job["engine"]], job)
    failures = (ValueError, RuntimeError)
    loaded, known = delegates.attach(job, module)
    words = _resolver(module, job["kernels"], alone=bool(loaded))
    if loaded:
        words["experimental_delegates"] = loaded
    try:
        interpreter = module.Interpreter(job["model"], num_threads=threads, **words)
        _fit(interpreter, job, image)
        interpreter.allocate_tensors()
    except failures as error:
        raise refusal(error) from error
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    check_inputs(inputs)
    described = [_tflite_tensor(output) for output in outputs]
    chosen = choose(described, job)
    tensors = (_tflite_tensor(inputs[0]), described[chosen])
    answer = _bind(interpreter, inputs[0]["index"], outputs[chosen]["index"])
    about = delegates.taken(interpreter, known, job["delegate"]) if loaded else _delegate(interpreter, job["kernels"])
    return Model(answer, tensors, failures, about)


def _fit(interpreter: Any, job: Dict[str, Any], image: "Image") -> None:
    """Resize an input with free sizes, or with a fixed batch, to one image, where one layout alone fits."""
    inputs = interpreter.get_input_details()
    check_inputs(inputs)
    shape = [int(size) for size in inputs[0]["shape"]]
    told = [int(size) for size in inputs[0].get("shape_signature", shape)]
    free = [None if size < 0 else size for size in (told if len(told) == len(shape) else shape)]
    wanted = [1 if shape[0] > 1 else free[0], *free[1:]] if free else []
    if wanted == shape:
        return
    name = pixels.layout(wanted, image, job.get("layout", "auto"))
    sizes = pixels.shapes(image)[name]
    if list(sizes) != shape:
        interpreter.resize_tensor_input(inputs[0]["index"], list(sizes))


def _bind(interpreter: Any, into: int, out_of: int) -> Callable[["Array"], "Array"]:
    """Look the methods up once: in a loop over small models that is most of what Python costs."""
    set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor

    def answer(prepared: "Array") -> "Array":
        set_tensor(into, prepared)
        invoke()
        row: "Array" = get_tensor(out_of)
        return row

    return answer


def _resolver(module: Any, kernels: str, alone: bool = False) -> Dict[str, Any]:
    """The interpreter's argument that selects a family of kernels.

    `alone`: an external delegate is there, and the runtime's own (XNNPACK) shall not take what that leaves: so every
    delegated operator is the external one's.
    """
    if kernels == "auto" and not (alone and hasattr(module, "OpResolverType")):
        return {}
    name = RESOLVERS["builtin" if kernels == "auto" else kernels]
    resolver = getattr(getattr(module, "OpResolverType", None), name, None)
    if resolver is None:
        raise Fault("kernels", "this runtime cannot select its kernels", kernels)
    return {"experimental_op_resolver_type": resolver}


def _delegate(interpreter: Any, kernels: str) -> Dict[str, Any]:
    """Which delegate really took nodes; None in `delegated` where the runtime does not tell."""
    list_ops = getattr(interpreter, "_get_ops_details", None)
    if list_ops is None:
        return {"delegate": None, "delegated": None}
    count = sum(1 for op in list_ops() if "DELEGATE" in op["op_name"].upper())
    # Without an external delegate, XNNPACK is the only one that these runtimes apply by themselves.
    return {"delegate": "xnnpack" if count and kernels == "auto" else None, "delegated": count}


def _tflite_tensor(details: Dict[str, Any]) -> Dict[str, Any]:
    """A tensor of a TFLite model, as allocated."""
    scale, zero_point = details["quantization"]
    return {
        "name": str(details["name"]),
        "shape": [int(size) for size in details["shape"]],
        "dtype": np.dtype(details["dtype"]).name,
        "scale": float(scale) or None,
        "zero_point": int(zero_point) if scale else None,
    }

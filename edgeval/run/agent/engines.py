"""The runtimes: open a model with one of them, as one function from an input to the raw output."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Callable, Dict, Tuple, Type

import numpy as np

from .frames import Fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

INTERPRETERS = {
    "litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
    "tensorflow": "tensorflow.lite.python.interpreter",
}
RESOLVERS = {"builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "reference": "BUILTIN_REF"}
ONNX_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
}


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

    def first(self, prepared: "Array") -> "Array":
        """The first answer, which shows whether the model runs and gives one row. Raises Fault."""
        try:
            row = np.asarray(self.answer(prepared))
        except self.failures as error:
            raise Fault("model", "the model fails on its first input", str(error)) from error
        if row.ndim < 2 or any(size != 1 for size in row.shape[:-1]):
            raise Fault("outputs", "the model must give one row of numbers an image", "output {}".format(row.shape))
        if row.dtype.kind not in "fiu":
            raise Fault("outputs", "the model must give numbers", str(row.dtype))
        return row


def open_model(job: Dict[str, Any], threads: int) -> Model:
    """The model of this job in its engine. Raises Fault."""
    if job["engine"] == "onnxruntime":
        return _open_onnx(job, threads)
    return _open_tflite(job, threads)


def _open_tflite(job: Dict[str, Any], threads: int) -> Model:
    """A TFLite file in LiteRT, tflite-runtime or TensorFlow."""
    module = _load(INTERPRETERS[job["engine"]], job)
    failures = (ValueError, RuntimeError)
    try:
        interpreter = module.Interpreter(job["model"], num_threads=threads, **_resolver(module, job["kernels"]))
        interpreter.allocate_tensors()
    except failures as error:
        raise Fault("model", "the runtime refuses the model", str(error)) from error
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    _check_single(inputs, outputs)
    tensors = (_tflite_tensor(inputs[0]), _tflite_tensor(outputs[0]))
    answer = _bind(interpreter, inputs[0]["index"], outputs[0]["index"])
    return Model(answer, tensors, failures, _delegate(interpreter, job["kernels"]))


def _bind(interpreter: Any, into: int, out_of: int) -> Callable[["Array"], "Array"]:
    """Look the methods up once: in a loop over small models that is most of what Python costs."""
    set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor

    def answer(prepared: "Array") -> "Array":
        set_tensor(into, prepared)
        invoke()
        row: "Array" = get_tensor(out_of)
        return row

    return answer


def _resolver(module: Any, kernels: str) -> Dict[str, Any]:
    """The interpreter's argument that selects a family of kernels."""
    if kernels == "auto":
        return {}
    name = RESOLVERS[kernels]
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


def _open_onnx(job: Dict[str, Any], threads: int) -> Model:
    """An ONNX file in ONNX Runtime on the CPU."""
    if job["kernels"] != "auto":
        raise Fault("kernels", "ONNX Runtime has one family of kernels", job["kernels"])
    runtime = _load("onnxruntime", job)
    state = _load("onnxruntime.capi.onnxruntime_pybind11_state", job)
    failures = tuple(v for v in vars(state).values() if isinstance(v, type) and issubclass(v, Exception))
    failures += (ValueError, RuntimeError)
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    # Without it int8 products saturate on x86 before VNNI, and the answers are not those of an Arm board.
    options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        session = runtime.InferenceSession(job["model"], options, providers=["CPUExecutionProvider"])
    except failures as error:
        raise Fault("model", "the runtime refuses the model", str(error)) from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    _check_single(inputs, outputs)
    run, into, out_of = session.run, inputs[0].name, [outputs[0].name]
    about = {
        "delegate": ",".join(session.get_providers()),
        "graph_optimization": options.graph_optimization_level.name,
        "options": {"session.x64quantprecision": "1"},
    }
    tensors = (_onnx_tensor(inputs[0]), _onnx_tensor(outputs[0]))
    return Model(lambda prepared: run(out_of, {into: prepared})[0], tensors, failures, about)


def _onnx_tensor(value: Any) -> Dict[str, Any]:
    """A tensor of an ONNX model; named or unknown sizes are None."""
    shape = [size if isinstance(size, int) else None for size in value.shape]
    return {
        "name": value.name,
        "shape": shape,
        "dtype": ONNX_TYPES.get(value.type, value.type),
        "scale": None,
        "zero_point": None,
    }


def _check_single(inputs: Any, outputs: Any) -> None:
    """One input and one output, or a Fault."""
    if len(inputs) != 1:
        raise Fault("input-shape", "the model must have one input", "{} inputs".format(len(inputs)))
    if len(outputs) != 1:
        raise Fault("outputs", "the model must have one output", "{} outputs".format(len(outputs)))


def _load(module: str, job: Dict[str, Any]) -> Any:
    """Import a runtime. Raises Fault if it is installed but broken."""
    try:
        return importlib.import_module(module)
    except (ImportError, SystemError, AttributeError) as error:
        name = "{} {}".format(job["engine"], job["version"])
        raise Fault("runtime", "the runtime cannot be imported", "{}: {}".format(name, error)) from error

"""The runtimes: open a model with one of them, as one function from an input to the raw output."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence, Tuple, Type

import numpy as np

from . import pixels
from .frames import Fault

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
UNKNOWN_OPERATOR = ("is not a registered function/op", "unresolved custom op", "No Op registered for")
ONNX_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
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

    def first(self, prepared: "Array", classes: Optional[int]) -> "Array":
        """The first answer, which shows whether the model runs and gives one row of `classes` numbers. Raises Fault."""
        try:
            row = np.asarray(self.answer(prepared))
        except self.failures as error:
            raise Fault("model", "the model fails on its first input", str(error)) from error
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


def open_model(job: Dict[str, Any], threads: int, image: "Image") -> Model:
    """The model of this job in its engine, for images (H, W, C). Raises Fault."""
    if job["engine"] == "onnxruntime":
        return _open_onnx(job, threads)
    if job.get("keras"):
        from .keras import open_keras

        return open_keras(job, threads, image)
    return _open_tflite(job, threads, image)


def _open_tflite(job: Dict[str, Any], threads: int, image: "Image") -> Model:
    """A TFLite file in LiteRT, tflite-runtime or TensorFlow."""
    module = load(INTERPRETERS[job["engine"]], job)
    failures = (ValueError, RuntimeError)
    try:
        interpreter = module.Interpreter(job["model"], num_threads=threads, **_resolver(module, job["kernels"]))
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
    return Model(answer, tensors, failures, _delegate(interpreter, job["kernels"]))


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


def refusal(error: Exception) -> Fault:
    """Why a runtime does not open a model."""
    text = " ".join(str(error).split())
    if any(words in text for words in UNKNOWN_OPERATOR):
        hint = "replace the operator, or run the model where its library is"
        return Fault("model", "the model uses an operator that the runtime does not have", text, hint)
    return Fault("model", "the runtime refuses the model", text)


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
    runtime = load("onnxruntime", job)
    state = load("onnxruntime.capi.onnxruntime_pybind11_state", job)
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
        raise refusal(error) from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    check_inputs(inputs)
    described: List[Dict[str, Any]] = [_onnx_tensor(output, job) for output in outputs]
    chosen = choose(described, job)
    run, into, out_of = session.run, inputs[0].name, [outputs[chosen].name]
    about = {
        "delegate": ",".join(session.get_providers()),
        "graph_optimization": options.graph_optimization_level.name,
        "options": {"session.x64quantprecision": "1"},
    }
    tensors = (_onnx_tensor(inputs[0], job), described[chosen])
    return Model(lambda prepared: run(out_of, {into: prepared})[0], tensors, failures, about)


def _onnx_tensor(value: Any, job: Dict[str, Any]) -> Dict[str, Any]:
    """A tensor of an ONNX model; named or unknown sizes are None. The host read scales from the graph."""
    shape = [size if isinstance(size, int) else None for size in value.shape]
    scale, zero_point = job.get("grids", {}).get(value.name, (None, None))
    return {
        "name": value.name,
        "shape": shape,
        "dtype": ONNX_TYPES.get(value.type, value.type),
        "scale": scale,
        "zero_point": zero_point,
    }


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

"""ONNX files in ONNX Runtime on the CPU."""

from __future__ import annotations

from typing import Any, Dict, List

from .frames import Fault
from .model import Model, check_inputs, choose, load, refusal

ONNX_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
}


def open_onnx(job: Dict[str, Any], threads: int) -> Model:
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

"""Parity: the exported file must answer a fixed batch as torch, or Keras, does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import IntegrityError, ModelError
from edgeval.records.artifact import Format, Parity

Floats = NDArray[np.float32]

FLOAT_ERROR = 1e-4
INT8_AGREEMENT = 0.85
INT8_ERROR = 0.02
INT8_ERROR_MAX = 0.05


def judge(
    name: str, fmt: Format, *, answers: Floats, reference: Floats, origin: str = "torch", values: bool = False
) -> Parity:
    """Compare an artifact's answers with its origin's, both (N, classes). Raises IntegrityError with the figures.

    All errors are relative to the range (max - min) of the origin's answers on the batch. Float: the largest error may
    be 1e-4 of it (measured: 1e-6). Int8: parity shall catch a broken file, not judge a loss of accuracy, so the mean
    error may be 5% of the range where the argmax agrees on 85% of the images, and 2% where it does not, as in nets
    whose classes lie close together (measured on trained nets: .1 to .5%; answers that ignore the input: 8% and more).
    Where answers are values rather than logits, argmax says nothing, and 5% it is.
    """
    if answers.shape != reference.shape:
        raise IntegrityError(
            f"{name} {fmt} answers in another shape", seen=f"{answers.shape}, {origin} {reference.shape}"
        )
    error = np.abs(answers.astype(np.float64) - reference)
    spread = max(float(reference.max() - reference.min()), 1e-6)
    agreement = float((answers.argmax(axis=1) == reference.argmax(axis=1)).mean())
    if fmt.endswith("fp32"):
        tolerance = f"max error <= {FLOAT_ERROR:g} of the range of the answers ({spread:.4g})"
        passed = bool(error.max() <= FLOAT_ERROR * spread)
    else:
        tolerance = f"mean error <= {INT8_ERROR_MAX:g} of the range of the answers ({spread:.4g})"
        if not values:
            tolerance += f", <= {INT8_ERROR:g} if argmax agreement < {INT8_AGREEMENT:g}"
        limit = INT8_ERROR_MAX if values or agreement >= INT8_AGREEMENT else INT8_ERROR
        passed = bool(error.mean() <= limit * spread)
    if not passed:
        figures = (
            f"max error {error.max():.4g}, mean {error.mean():.4g}, argmax agreement {agreement:.3f} of {len(error)}"
        )
        hint = "compare other formats of this model: if they pass, report the converter's version"
        raise IntegrityError(
            f"{name} {fmt} does not answer as {origin} does (allowed: {tolerance})", seen=figures, hint=hint
        )
    return Parity(
        n=len(error),
        max_abs_error=float(error.max()),
        mean_abs_error=float(error.mean()),
        argmax_agreement=agreement,
        tolerance=tolerance,
        passed=passed,
    )


def answers(data: bytes, suffix: str, images: Floats) -> Floats:
    """(N, classes) logits of an `onnx` or `tflite` file for images (N, H, W, C), dequantised. Raises ModelError."""
    run = _onnx_runner(data) if suffix == "onnx" else _tflite_runner(data)
    return np.concatenate([run(image[None]) for image in images])


def _onnx_runner(data: bytes) -> Callable[[Floats], Floats]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(image: Floats) -> Floats:
        result: Floats = session.run(None, {name: np.ascontiguousarray(image.transpose(0, 3, 1, 2))})[0]
        return result

    return run


def _tflite_runner(data: bytes) -> Callable[[Floats], Floats]:
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=data, num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError("LiteRT cannot load the exported file", seen=error) from error
    given, asked = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def run(image: Floats) -> Floats:
        interpreter.set_tensor(given["index"], _to_grid(image, given))
        interpreter.invoke()
        return _from_grid(interpreter.get_tensor(asked["index"]), asked)

    return run


def _to_grid(values: Floats, tensor: Any) -> NDArray[np.generic]:
    """Values on the integer grid of an input tensor; unchanged where it takes floats."""
    scale, zero = tensor["quantization"]
    if not scale:
        return values
    limits = np.iinfo(tensor["dtype"])
    grid: NDArray[np.generic] = np.clip(np.round(values / scale + zero), limits.min, limits.max).astype(tensor["dtype"])
    return grid


def _from_grid(values: NDArray[np.generic], tensor: Any) -> Floats:
    """The numbers that an output tensor stands for, float32."""
    scale, zero = tensor["quantization"]
    numbers = values.astype(np.float32)
    return (numbers - np.float32(zero)) * np.float32(scale) if scale else numbers

"""From a torch module to one file in one format, with its card: convert, quantise, check against torch, describe."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from edgeval.errors import ModelError
from edgeval.export import edgetpu, onnx, parity, quantize, tflite
from edgeval.export.fold import fold_batch_norm
from edgeval.export.inspect import inspect
from edgeval.export.program import Program
from edgeval.records.artifact import (
    CALIBRATED,
    ArtifactCard,
    Calibration,
    Format,
    Parity,
    Preprocess,
    Profile,
    file_name,
)
from edgeval.tasks.samples import Samples

Floats = NDArray[np.float32]

PACKAGES = {
    "onnx-fp32": ("torch", "onnx", "onnxscript", "onnxruntime"),
    "onnx-int8": ("torch", "onnx", "onnxscript", "onnxruntime"),
    "tflite-fp32": ("torch", "litert-torch", "litert-converter", "ai-edge-litert"),
    **dict.fromkeys(
        ("tflite-int8", "tflite-w8", "tflite-16x8"),
        ("torch", "litert-torch", "litert-converter", "ai-edge-litert", "ai-edge-quantizer"),
    ),
}


@dataclass(frozen=True, eq=False)
class Request:
    """A module to export, and the images that calibrate and check it.

    module: float32 input (N, C, H, W), preprocessed -> logits (N, classes), on the CPU; calibration: training images
    only; check: the fixed batch for parity. Keep one Request for several formats: the int8 file of a family is made
    from the float one, which is converted once. outputs: `values` of a regressor, whose outputs class_names names.
    """

    module: torch.nn.Module
    name: str
    preprocess: Preprocess
    class_names: tuple[str, ...]
    calibration: Samples
    check: Samples
    profile: Profile = "litert"
    outputs: Literal["logits", "values"] = "logits"

    def inputs(self, samples: Samples) -> Floats:
        """(N, H, W, C) float32, (pixel x scale - mean) / std."""
        mean, std = (np.array(value, np.float32) for value in (self.preprocess.mean, self.preprocess.std))
        scaled: Floats = samples.images.astype(np.float32) * np.float32(self.preprocess.scale)
        return (scaled - mean) / std

    @cached_property
    def reference(self) -> Floats:
        """(N, classes) logits of torch on the check batch, image by image as the artifacts see them."""
        batch = torch.from_numpy(_channels_first(self.inputs(self.check)))
        if isinstance(self.module, Program) and not self.module.accepts(tuple(batch.shape[1:])):
            seen = f"{tuple(batch.shape[1:])}, the network takes {self.module.shape[1:]}"
            raise ModelError(f"{self.name} takes images of another shape (channels, height, width)", seen=seen)
        try:
            with torch.no_grad():
                logits: Floats = torch.cat([self.module.eval()(image[None]) for image in batch]).numpy()
        except RuntimeError as error:
            raise ModelError(f"{self.name} cannot take these images", seen=error, hint="check their size") from error
        if logits.shape != (len(self.check), len(self.class_names)):
            wanted = (len(self.check), len(self.class_names))
            raise ModelError(f"{self.name} must answer with one logit a class", seen=f"{logits.shape}, wanted {wanted}")
        return logits

    @cached_property
    def folded(self) -> torch.nn.Module:
        """What the converters see: weights in plain order, for litert-torch reads others from memory that is freed."""
        folded = fold_batch_norm(self.module)
        folded.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return folded

    @cached_property
    def float_onnx(self) -> bytes:
        example = _channels_first(self.inputs(self.check.take([0])))
        fixed = isinstance(self.module, Program) and self.module.fixed_batch
        return onnx.convert(self.folded, example, free_batch=not fixed)

    @cached_property
    def float_tflite(self) -> bytes:
        return tflite.convert(self.folded, self.inputs(self.check.take([0])))

    @cached_property
    def ranges(self) -> quantize.Ranges:
        """Of the float TFLite file's tensors over the calibration images."""
        return quantize.ranges(self.float_tflite, self.inputs(self.calibration))


def export(request: Request, fmt: Format) -> tuple[bytes, ArtifactCard]:
    """The module as a file of this format, and its card. The same request gives the same bytes.

    Raises IntegrityError when the file does not answer as torch does, ModelError when the profile's device cannot run
    it or the module does not fit the request.
    """
    reference, suffix = request.reference, fmt.partition("-")[0]
    try:
        data = _convert(request, fmt)
    except (RuntimeError, ValueError, TypeError, KeyError, AssertionError) as error:
        hint = "the converter's whole message is in the log; replace the operator that it names"
        raise ModelError(f"{request.name} cannot be converted to {fmt}", seen=_root(error), hint=hint) from error
    if request.profile == "coral" and fmt not in ("tflite-fp32", "onnx-fp32", "onnx-int8"):
        edgetpu.check(data, request.name)
    answers = parity.answers(data, suffix, request.inputs(request.check))
    values = request.outputs == "values"
    verdict = parity.judge(request.name, fmt, answers=answers, reference=reference, values=values)
    return data, _card(request, fmt, data=data, verdict=verdict)


def _convert(request: Request, fmt: Format) -> bytes:
    if fmt == "onnx-fp32":
        return request.float_onnx
    if fmt == "tflite-fp32":
        return request.float_tflite
    if fmt == "tflite-w8":
        return quantize.weights_only(request.float_tflite)
    if fmt == "onnx-int8":
        return onnx.quantize(request.float_onnx, _channels_first(request.inputs(request.calibration)))
    bits: quantize.Bits = 16 if fmt == "tflite-16x8" else 8
    per_channel = request.profile == "litert"
    return quantize.integer(request.float_tflite, request.ranges, bits=bits, per_channel_dense=per_channel)


def _root(error: BaseException) -> BaseException:
    """The error that the others were raised from: the one that names the operator."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _card(request: Request, fmt: Format, *, data: bytes, verdict: Parity) -> ArtifactCard:
    suffix = fmt.partition("-")[0]
    anatomy = inspect(data, suffix)
    return ArtifactCard(
        name=request.name,
        format=fmt,
        profile=request.profile,
        file=file_name(fmt, request.profile),
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        params=sum(p.numel() for p in request.module.parameters()),
        opset_or_schema=anatomy.version,
        operators=anatomy.operators,
        tensor_types=anatomy.tensor_types,
        input=anatomy.input,
        output=anatomy.output,
        preprocess=request.preprocess,
        class_names=request.class_names,
        outputs=request.outputs,
        calibration=Calibration.of(request.calibration) if fmt in CALIBRATED else None,
        parity=verdict,
        versions={name: version(name) for name in (*PACKAGES[fmt], "numpy")} | {"python": platform.python_version()},
    )


def _channels_first(images: Floats) -> Floats:
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))

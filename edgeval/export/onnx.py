"""ONNX: float export with a free batch size, and static int8 quantisation in QDQ form."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

OPSET = 20
BATCH = 32


def convert(module: nn.Module, example: NDArray[np.float32], *, free_batch: bool = True) -> bytes:
    """The module as float ONNX, input `input` (batch, C, H, W), output `logits`; example: (1, C, H, W)."""
    import torch

    batch = torch.from_numpy(np.repeat(example, 2 if free_batch else 1, axis=0))
    shapes = ({0: torch.export.Dim("batch")},) if free_batch else None
    with warnings.catch_warnings():
        # torch's own exporter still calls what torch has deprecated
        warnings.filterwarnings("ignore", category=FutureWarning, message=r"`isinstance\(treespec, LeafSpec\)`")
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="onnxscript")
        program = torch.onnx.export(
            module,
            (batch,),
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=shapes,
            input_names=["input"],
            output_names=["logits"],
            verbose=False,
        )
    if program is None:  # pragma: no cover
        raise AssertionError("torch.onnx.export(dynamo=True) returns a program")
    return _bare(program.model_proto)


def quantize(model: bytes, images: NDArray[np.float32]) -> bytes:
    """Static int8: activations uint8 per tensor, weights int8 per channel, true min/max over `images` (N, C, H, W).

    The weights keep all 8 bits (no `reduce_range`): on an x86 CPU without VNNI whoever runs the file must set the
    session option `session.x64quantprecision` to 1, or its sums saturate; everywhere else that option changes nothing.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        start, ready, done = (Path(folder, name) for name in ("float.onnx", "ready.onnx", "int8.onnx"))
        start.write_bytes(model)
        quant_pre_process(start, ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            done,
            _Reader(images),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return _bare(onnx.load(done))


class _Reader:
    """Hands the calibration images to ONNX Runtime, a batch at a time."""

    def __init__(self, images: NDArray[np.float32]) -> None:
        self._batches: Iterator[NDArray[np.float32]] = (images[i : i + BATCH] for i in range(0, len(images), BATCH))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"input": batch}


def _bare(model: Any) -> bytes:
    """The model's bytes without the stack traces and source paths that the exporter writes into it."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    data: bytes = model.SerializeToString(deterministic=True)
    return data

"""TFLite: float conversion, and full integer quantisation with true min/max ranges."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeval.export.flatbuffer import settle

if TYPE_CHECKING:
    from torch import nn

SIGNATURE = "serving_default"
INPUT = "args_0"


def convert(module: nn.Module, example: NDArray[np.float32]) -> bytes:
    """The module as float TFLite, batch 1, input NHWC without a transpose; example: (1, H, W, C)."""
    import torch

    with warnings.catch_warnings():
        _known_noise()
        import litert_torch

        wrapped = litert_torch.to_channel_last_io(module, args=[0]).eval()
        data: bytes = litert_torch.convert(wrapped, (torch.from_numpy(example),)).model_content()
    return settle(bytes(data))


def quantize(model: bytes, images: NDArray[np.float32], *, per_channel_dense: bool = True) -> bytes:
    """Full integer: int8 input, output, activations and weights; images: (N, H, W, C), the calibration set.

    Convolution weights are per channel. Dense weights too, unless `per_channel_dense` is off: Edge TPUs and
    tflite-runtime before 2.10 read per-channel ones without a message, and answer the same for every input.
    """
    with warnings.catch_warnings():
        _known_noise()
        from ai_edge_quantizer import calibrator, qtyping, quantizer, recipe_manager
        from ai_edge_quantizer.utils import qsv_utils

        job = quantizer.Quantizer(model)
        job.add_static_config(".*", qtyping.TFLOperationName.ALL_SUPPORTED, 8, 8)
        if not per_channel_dense:
            dense = qtyping.TFLOperationName.FULLY_CONNECTED
            job.add_static_config(".*", dense, 8, 8, weight_granularity=qtyping.QuantGranularity.TENSORWISE)
        recipe = recipe_manager.RecipeManager()
        recipe.load_quantization_recipe(job.get_quantization_recipe())
        # the quantizer's own calibration is a moving average, which clips the largest activations and the logits
        ranges = calibrator.Calibrator(model, num_threads=1, qsv_update_func=qsv_utils.min_max_update)
        ranges.calibrate({SIGNATURE: [{INPUT: image[None]} for image in images]}, recipe)
        result = job.quantize(ranges.get_model_qsvs(), enable_progress_bar=False, enable_progress_report=False)
    return settle(bytes(result.quantized_model))


def _known_noise() -> None:
    """Ignore what litert-torch and its dependencies are known to warn of, inside a `catch_warnings` block."""
    warnings.filterwarnings("ignore", category=FutureWarning, message=r"`isinstance\(treespec, LeafSpec\)`")
    warnings.filterwarnings("ignore", category=UserWarning, message=r"Warning: Enabling `experimental_preserve_all")

"""Quantised TFLite: integers all through with true min/max ranges, int8 weights alone, and mixtures by operator."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgeval.export.flatbuffer import settle
from edgeval.export.tflite import known_noise

SIGNATURE = "serving_default"
INPUT = "args_0"
Bits = Literal[8, 16]
Ranges = dict[str, Any]


def ranges(model: bytes, images: NDArray[np.float32]) -> Ranges:
    """Least and largest value of every tensor of a float file over images (N, H, W, C), the calibration set."""
    with warnings.catch_warnings():
        known_noise()
        from ai_edge_quantizer import calibrator, recipe_manager
        from ai_edge_quantizer.utils import qsv_utils
        from tqdm import tqdm

        tqdm.set_lock(threading.RLock())  # its own is a semaphore too, which a killed process leaks with a warning
        recipe = recipe_manager.RecipeManager()
        recipe.add_static_config(".*", _everything(), 8, 8)
        # the quantizer's own calibration is a moving average, which clips the largest activations and the logits
        found = calibrator.Calibrator(model, num_threads=1, qsv_update_func=qsv_utils.min_max_update)
        found.calibrate({SIGNATURE: [{INPUT: image[None]} for image in images]}, recipe)
        known: Ranges = found.get_model_qsvs()
        return known


def integer(model: bytes, known: Ranges, *, bits: Bits = 8, per_channel_dense: bool = True) -> bytes:
    """int8 weights, and input, output and activations in integers of `bits`; operators that have none stay float.

    Convolution weights are per channel. Dense weights too, unless `per_channel_dense` is off: Edge TPUs and
    tflite-runtime before 2.10 read per-channel ones without a message, and answer the same for every input.
    """

    def recipe(job: Any) -> None:
        job.add_static_config(".*", _everything(), bits, 8)
        if not per_channel_dense:
            from ai_edge_quantizer import qtyping

            dense, whole = qtyping.TFLOperationName.FULLY_CONNECTED, qtyping.QuantGranularity.TENSORWISE
            job.add_static_config(".*", dense, bits, 8, weight_granularity=whole)

    return _quantized(model, recipe, known)


def weights_only(model: bytes) -> bytes:
    """int8 weights, per channel, that a DEQUANTIZE unpacks before each operator, which computes in float.

    Not "dynamic range", whose kernels round activations in ways of their own: tflite-runtime up to 2.14 answers the
    same for every input where dense weights are per channel.
    """
    return _quantized(model, lambda job: job.add_weight_only_config(".*", _everything(), 8), None)


def all_but(model: bytes, known: Ranges, scopes: Iterable[str]) -> bytes:
    """int8, with the operators of these scopes (see `kinds`) left in float."""
    from ai_edge_quantizer.algorithm_manager import AlgorithmName

    def recipe(job: Any) -> None:
        job.add_static_config(".*", _everything(), 8, 8)
        job.update_quantization_recipe(_these(scopes), _everything(), None, AlgorithmName.NO_QUANTIZE)

    return _quantized(model, recipe, known)


def only(model: bytes, known: Ranges, scopes: Iterable[str]) -> bytes:
    """Float, with the operators of these scopes (see `kinds`) in int8."""
    return _quantized(model, lambda job: job.add_static_config(_these(scopes), _everything(), 8, 8), known)


def _quantized(model: bytes, recipe: Callable[[Any], None], known: Ranges | None) -> bytes:
    """What the quantizer makes of a float file by a recipe, settled."""
    with warnings.catch_warnings():
        known_noise()
        from ai_edge_quantizer import quantizer

        job = quantizer.Quantizer(model)
        recipe(job)
        result = job.quantize(known, enable_progress_bar=False, enable_progress_report=False)
    return settle(bytes(result.quantized_model))


def _everything() -> Any:
    """All operators that the quantizer knows."""
    from ai_edge_quantizer import qtyping

    return qtyping.TFLOperationName.ALL_SUPPORTED


def _these(scopes: Iterable[str]) -> str:
    """A pattern for exactly these operators: the quantizer names one by its outputs, each with a semicolon behind."""
    return f"^(?:{'|'.join(map(re.escape, scopes))})$"

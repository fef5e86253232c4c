"""Which opener runs the model of a job; a runtime is imported only when its model is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Tuple

from .model import Model

if TYPE_CHECKING:
    Image = Tuple[int, int, int]


def open_model(job: Dict[str, Any], threads: int, image: "Image") -> Model:
    """The model of this job in its engine, for images (H, W, C). Raises Fault."""
    if job["engine"] == "onnxruntime":
        from .onnx import open_onnx

        return open_onnx(job, threads)
    if job["engine"] == "tflm":
        from .tflm import open_tflm

        return open_tflm(job)
    if job.get("keras"):
        from .keras import open_keras

        return open_keras(job, threads, image)
    from .tflite import open_tflite

    return open_tflite(job, threads, image)

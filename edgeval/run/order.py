"""What the agent is told to do, with all that it needs in place on the host."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from edgeval.errors import ModelError
from edgeval.records.kerasfile import keras_form
from edgeval.run.delegates import delegate_words
from edgeval.run.health import watched
from edgeval.run.host import Host, LocalHost
from edgeval.run.job import Job
from edgeval.run.onnxfile import OnnxFile, external_files, read_onnx


def order(host: Host, job: Job, engine: tuple[str, str]) -> dict[str, Any]:
    """Everything the agent must know, with model and images in place on the host."""
    with tempfile.TemporaryDirectory(prefix="edgeval-") as folder:
        images = Path(folder) / "inputs.npy"
        np.save(images, np.ascontiguousarray(job.samples.images), allow_pickle=False)
        inputs = host.put(images, images.name)
    form = keras_form(job.model)
    about = read_onnx(job.model) if job.model.suffix.lower() == ".onnx" else OnnxFile()
    return {
        "model": _place(host, job.model, about),
        "inputs": inputs,
        "keras": form,
        "grids": about.grids,
        "layout": job.reading.layout,
        "channels": job.reading.channels,
        "output": job.reading.output,
        "classes": job.reading.classes,
        "declared": job.reading.declared,
        "preprocess": job.preprocess.model_dump(mode="json"),
        "chunk": job.chunk,
        "engine": engine[0],
        "version": engine[1],
        "delegate": delegate_words(job.target, job.accelerator),
        "kernels": job.target.runtime.kernels,
        "threads": job.target.runtime.threads,
        # TensorFlow is large, and an accelerator takes one program at a time: one process
        "workers": 1 if form or job.target.runtime.delegate else job.workers,
        "sample_timeout_s": job.target.limits.sample_timeout_s,
        "run_timeout_s": job.target.limits.run_timeout_s,
        "monitor_s": job.target.monitor.interval_s if watched(job.target.monitor) else None,
    }


def _place(host: Host, model: Path, about: OnnxFile) -> str:
    """The model's path on the host. Models of several files stay where they are, on this computer."""
    several = external_files(model, about)
    if not several and model.is_file():
        return host.put(model, "model" + model.suffix.lower())
    if not isinstance(host, LocalHost):
        hint = "save it as one file"
        raise ModelError("a model of several files runs on this computer only", seen=model, hint=hint)
    return str(model.resolve())

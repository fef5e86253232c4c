"""A recording of this computer, made of one run."""

from __future__ import annotations

from typing import Any

from edgeval.records.recording import Asked, RecordedRun, Recording, RecordingHeader, image_digests
from edgeval.run.host import LocalHost, content_sha256
from edgeval.run.infer import infer
from edgeval.run.job import Job
from edgeval.run.probe import probe
from tests.run.tiny_models import Memory


def record_here(job: Job, **more: Any) -> Recording:
    """What this computer answers to this job; `more` is said of the run besides."""
    sink = Memory()
    with LocalHost() as host:
        facts = probe(host)
        result = infer(host, job, sink, progress=lambda *_: None, facts=facts)
    reading, hello = job.reading, result.hello
    asked = Asked(
        preprocess=job.preprocess,
        **{name: getattr(reading, name) for name in ("layout", "channels", "output", "classes", "declared")},
        **{name: hello[name] for name in ("engine", "version", "kernels")},
    )
    about = {"name": "m", "format": "tflite", "n": len(job.samples), "images": "images", "outputs": "outputs"}
    hashes = {"model_sha256": content_sha256(job.model), "data_sha256": job.samples.sha256}
    run = RecordedRun(**about, **hashes, asked=asked, hello=hello, **more)
    when, arrays = "2026-01-02T03:04:05+00:00", {"images": image_digests(job.samples.images), "outputs": sink.all()}
    header = RecordingHeader(target="board", origin="device", facts=facts, when=when, edgeval="0", runs=(run,))
    return Recording(header, arrays, "0" * 64)

"""What a recording carries beside the answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeval.errors import BenchError
from edgeval.records.artifact import Preprocess
from edgeval.run.host import content_sha256
from edgeval.run.infer import RunResult, infer
from edgeval.run.job import Job
from edgeval.run.replay import ReplayHost
from tests.run.recordings import record_here
from tests.run.tiny_models import SIDE, Memory, make_samples, make_target, write_tflite


@pytest.fixture
def job(tmp_path: Path) -> Job:
    model = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3), dtype="int8")
    return Job(model, make_samples(40), Preprocess(scale=1), make_target(), latency=False, workers=1)


def replayed(job: Job, recorded: Job, **more: object) -> RunResult:
    with ReplayHost(record_here(recorded, **more)) as host:
        return infer(host, job, Memory(), progress=lambda *_: None)


def test_what_was_watched_and_counted_comes_along(job: Job) -> None:
    health = {"looks": 3, "failed": ["throttled: under-voltage"]}
    found = replayed(job, job, health=health, instructions=518_000)
    assert found.health == health
    assert found.instructions == 518_000


def test_latency_comes_along_only_where_it_is_asked_for(job: Job) -> None:
    measured = {"p50": 1.5, "p95": 2.5, "n": 9, "threads": 4}
    more = {"latency": measured, "peak_memory_mb": 12.5}
    found = replayed(replace(job, latency=True), job, **more)
    assert found.latency is not None
    assert found.latency.model_dump() == measured
    assert found.peak_memory_mb == 12.5
    assert replayed(job, job, **more).latency is None


def test_a_compiled_model_is_found_by_the_file_that_it_was_made_of(job: Job, tmp_path: Path) -> None:
    plain = write_tflite(tmp_path / "plain.tflite", (1, SIDE, SIDE, 3))
    asked = replace(job, model=plain)
    with pytest.raises(BenchError, match="no answers of this model"):
        replayed(asked, job)
    found = replayed(asked, job, source_sha256=content_sha256(plain))
    assert found.hello["compiled_sha256"] == content_sha256(job.model)

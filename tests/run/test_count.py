"""Counting instructions: pairs of readings around each call, warm-up left out; no counter is said in one line."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from edgeval.records.artifact import Preprocess
from edgeval.run.agent import count
from edgeval.run.count import count_instructions
from edgeval.run.faults import as_error
from edgeval.run.host import LocalHost
from edgeval.run.job import Job
from tests.run.tiny_models import make_samples, make_target, write_tflite


def test_each_call_is_the_difference_of_two_readings(tmp_path: Path) -> None:
    calls, readings = count.WARM_UP + count.COUNTED, []
    for k in range(calls):
        took = 5000 if k < count.WARM_UP else 700 + (k == calls - 1)
        readings += [1000 * k, 1000 * k + took]
    (tmp_path / "counter").write_bytes(struct.pack(f"<{2 * calls}Q", *readings))
    counter, ran = os.open(tmp_path / "counter", os.O_RDONLY), []
    try:
        found = count.counts(counter, lambda: ran.append(1))
    finally:
        os.close(counter)
    assert found == [700] * (count.COUNTED - 1) + [701]
    assert (len(ran), count.median(found)) == (calls, 700)


def test_a_system_without_a_counter_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count.platform, "machine", lambda: "riscv64")
    with pytest.raises(count.frames.Fault, match="cannot be counted on this system") as caught:
        count.open_counter()
    error = as_error(caught.value.fields, "m.tflite", "")
    assert error.exit_code == 4
    assert "use an emulated board" in str(error)


def test_what_is_wrong_with_the_model_is_said(tmp_path: Path) -> None:
    model = write_tflite(tmp_path / "m.tflite", (1, 5, 5, 3))
    job = Job(model, make_samples(3), Preprocess(), make_target())
    with LocalHost() as host, pytest.raises(Exception, match=r"m\.tflite: .*shape|images") as caught:
        count_instructions(host, job, {"runtimes": {"litert": "2"}, "numpy": "2", "pointer_bits": 64, "python": "3"})
    assert type(caught.value).__name__ == "ModelError"

"""What a host offers, and which runtime is picked."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from edgeval.errors import BenchError, CardError, ModelError, RuntimeMissing
from edgeval.records.target import Target
from edgeval.run.host import LocalHost
from edgeval.run.probe import pick_engine, probe
from tests.run.tiny_models import make_target

TFLITE, ONNX = Path("m.tflite"), Path("m.onnx")


def board(runtimes: dict[str, str], **changes: Any) -> dict[str, Any]:
    known = {"python": "3.11", "pointer_bits": 64, "machine": "aarch64", "glibc": "2.36"}
    return {"runtimes": runtimes, "numpy": "2.4", **known} | changes


def remote(**runtime: Any) -> Target:
    return (
        make_target(**runtime)
        .changed(name="pi")
        .model_copy(update={"transport": make_target().transport.model_copy(update={"type": "ssh", "host": "pi"})})
    )


def test_this_computer_says_what_it_is(facts: dict[str, Any]) -> None:
    import numpy as np
    import onnxruntime

    assert facts["numpy"] == np.__version__
    assert facts["runtimes"]["onnxruntime"] == onnxruntime.__version__
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["cores"] == len(os.sched_getaffinity(0))
    assert facts["missing"] == []


@pytest.mark.parametrize(
    ("model", "runtime", "present", "engine"),
    [
        (TFLITE, {}, {"litert": "2.3.0", "tflite-runtime": "2.14.0"}, "litert"),
        (TFLITE, {}, {"tflite-runtime": "2.14.0"}, "tflite-runtime"),
        (TFLITE, {}, {"tensorflow": "2.21.0", "onnxruntime": "1.26"}, "tensorflow"),
        (TFLITE, {"engine": "tensorflow"}, {"litert": "2.3.0", "tensorflow": "2.21.0"}, "tensorflow"),
        (ONNX, {}, {"litert": "2.3.0", "onnxruntime": "1.26"}, "onnxruntime"),
    ],
)
def test_the_cards_engine_comes_first(model: Path, runtime: Any, present: dict[str, str], engine: str) -> None:
    assert pick_engine(board(present), make_target(**runtime), model) == (engine, present[engine])


@pytest.mark.parametrize(
    ("model", "target", "changes", "words"),
    [
        (TFLITE, make_target(), {}, "pip install 'edgeval-toolkit[run]'"),
        (ONNX, make_target(), {}, "pip install 'edgeval-toolkit[run]'"),
        (TFLITE, make_target(engine="tensorflow", accept=()), {}, "pip install tensorflow"),
        (TFLITE, remote(), {}, "on pi: python3 -m pip install ai-edge-litert numpy (edgeval devices check pi"),
        (TFLITE, remote(), {"pointer_bits": 32}, "on pi: python3 -m pip install tflite-runtime==2.14.0 'numpy<2'"),
        (TFLITE, remote(), {"python": "3.7.3"}, "pip install tflite-runtime==2.11.0 'numpy<2'"),
        (TFLITE, remote(), {"python": "3.15", "glibc": None}, "pip install ai-edge-litert numpy"),
        (ONNX, remote(), {}, "on pi: python3 -m pip install onnxruntime numpy"),
    ],
)
def test_a_missing_runtime_comes_with_the_command(model: Path, target: Any, changes: Any, words: str) -> None:
    with pytest.raises(RuntimeMissing) as caught:
        pick_engine(board({}, **changes), target, model)
    assert words in caught.value.hint


@pytest.mark.parametrize(
    ("model", "target", "kind"),
    [
        (Path("m.pt"), make_target(), ModelError),
        (TFLITE, make_target(engine="onnxruntime", accept=("onnxruntime",)), CardError),
        (ONNX, make_target(delegate={"library": "libedgetpu.so.1"}), ModelError),
    ],
)
def test_what_cannot_run_is_said(model: Path, target: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        pick_engine(board({"litert": "2.3.0"}), target, model)


def test_a_python_that_cannot_run_the_agent_is_the_benchs_fault(tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho 'Python 2 speaking'\necho broken here >&2\nexit 3\n")
    script.chmod(0o755)
    with LocalHost(python=str(script)) as host, pytest.raises(BenchError, match="exit status 3: broken here"):
        probe(host)


def test_no_python_at_all_is_a_missing_runtime() -> None:
    with LocalHost(python="/no/such/python") as host, pytest.raises(RuntimeMissing, match="/no/such/python"):
        probe(host)

"""A device with too little memory for a model: a limit that is real, over a real ssh server."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tiny_models import SIDE, Memory, make_samples, make_target

from edgeval.errors import BenchError
from edgeval.records.artifact import Preprocess
from edgeval.run.infer import infer
from edgeval.run.job import Job
from edgeval.run.ssh import SshHost
from tests.sshd import Board

WIDE = 16_384  # 3 x WIDE x WIDE floats are 3.2 GB


def hungry(path: Path, wide: int) -> Path:
    """An .onnx of a few hundred bytes that spreads the mean of its input over 3 x wide x wide floats."""
    shape = numpy_helper.from_array(np.array([1, 3, wide, wide], np.int64), "shape")
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Expand", ["mean", "shape"], ["wide"]),
        helper.make_node("ReduceMean", ["wide"], ["y"], axes=[2, 3], keepdims=0),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes)
        for name, sizes in (("x", [1, SIDE, SIDE, 3]), ("y", [1, 3]))
    ]
    graph = helper.make_graph(nodes, "hungry", ends[:1], ends[1:], [shape])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.mark.parametrize(("wide", "fits"), [(16, True), (WIDE, False)])
def test_too_little_memory_is_told_apart_from_a_bad_model(board: Board, tmp_path: Path, wide: int, fits: bool) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nulimit -v 3000000\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    model, kept = hungry(tmp_path / "m.onnx", wide), Memory()
    job = Job(model, make_samples(4), Preprocess(scale=1), make_target(), latency=False, workers=1)
    with SshHost(board.target(python=str(python))) as host:
        if fits:
            infer(host, job, kept, progress=lambda *_: None)
            assert len(kept.all()) == 4
            return
        with pytest.raises(BenchError, match="too little memory for this run") as caught:
            infer(host, job, kept, progress=lambda *_: None)
    assert caught.value.exit_code == 4

"""MLPerf Tiny's ResNet-8 on CIFAR-10: published accuracies, plain loops and kernels, through the agent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.tasks.samples import Samples
from tests.run.tiny_models import Answer


@pytest.mark.parametrize(("kind", "accuracy"), [("int8", 0.8699), ("float", 0.8721)])
def test_accuracy_on_all_test_images(
    answer: Callable[..., Answer], resnet8: Callable[[str], Path], cifar10: Samples, kind: str, accuracy: float
) -> None:
    got = answer(resnet8(kind), cifar10, workers=None)
    assert np.mean(got.outputs.argmax(axis=1) == cifar10.labels) == pytest.approx(accuracy, abs=1e-9)


@pytest.mark.parametrize("kind", ["int8", "float"])
def test_same_bits_as_a_plain_loop(
    answer: Callable[..., Answer], resnet8: Callable[[str], Path], cifar10: Samples, kind: str
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    some = cifar10.take(range(200))
    interpreter = Interpreter(str(resnet8(kind)), num_threads=1)
    interpreter.allocate_tensors()
    into, out_of = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    rows = []
    for image in some.images:
        pixels = image.astype(np.float32) if kind == "float" else (image.astype(int) - 128).astype(np.int8)
        interpreter.set_tensor(into, pixels[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(out_of)[0].copy())
    assert answer(resnet8(kind), some, workers=2, chunk=30).outputs.tobytes() == np.array(rows).tobytes()


def test_kernels_are_really_different(
    answer: Callable[..., Answer], resnet8: Callable[[str], Path], cifar10: Samples, record_property: Any
) -> None:
    some = cifar10.take(range(100))
    rows = {k: answer(resnet8("int8"), some, kernels=k, workers=2).outputs for k in ("auto", "builtin", "reference")}
    differing = {
        f"{a} against {b}": int((rows[a] != rows[b]).any(axis=1).sum())
        for a, b in (("auto", "builtin"), ("auto", "reference"), ("builtin", "reference"))
    }
    record_property("differing rows of 100", differing)
    assert all(differing.values()), differing

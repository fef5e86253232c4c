"""When an artifact counts as the same model as torch's."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.errors import IntegrityError
from edgeval.export.parity import judge

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 3, (64, 100)).astype(np.float32)
NOISE = RNG.normal(0, 1, LOGITS.shape).astype(np.float32)
CLOSE = (5 + LOGITS * 1e-3).astype(np.float32)  # an untrained net: the classes lie close together


@pytest.mark.parametrize(
    ("fmt", "answers", "reference"),
    [
        ("onnx-fp32", LOGITS + 1e-5 * NOISE, LOGITS),
        ("tflite-int8", LOGITS + 0.1 * NOISE, LOGITS),
        ("tflite-int8", CLOSE + 4e-4 * NOISE * 0.5, CLOSE),
    ],
)
def test_the_same_model_passes(fmt: str, answers: np.ndarray, reference: np.ndarray) -> None:
    parity = judge("net", fmt, answers=answers, reference=reference)  # type: ignore[arg-type]
    assert parity.passed
    assert parity.mean_abs_error == pytest.approx(np.abs(answers - reference).mean(), rel=1e-3)


@pytest.mark.parametrize(
    ("fmt", "answers"),
    [
        ("onnx-fp32", LOGITS + 0.01 * NOISE),
        ("tflite-int8", np.broadcast_to(LOGITS.mean(axis=0), LOGITS.shape)),  # one answer for every input
        ("tflite-int8", np.roll(LOGITS, 1, axis=1)),  # the classes in another order
        ("tflite-int8", LOGITS * 0.5),  # right classes, wrong scale: every confidence would be wrong
        ("tflite-int8", LOGITS * np.nan),
        ("tflite-int8", LOGITS[:, :99]),
    ],
)
def test_another_model_does_not(fmt: str, answers: np.ndarray) -> None:
    with pytest.raises(IntegrityError, match=f"net {fmt}"):
        judge("net", fmt, answers=answers, reference=LOGITS)  # type: ignore[arg-type]

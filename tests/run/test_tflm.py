"""TensorFlow Lite Micro through the agent: the same bits as the reference kernels, the arena, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeval.errors import ModelError
from edgeval.run.agent.arena import recorded, smallest
from edgeval.run.agent.frames import Fault
from edgeval.run.agent.tflm import Overheard, allocate, contents, reason
from edgeval.tasks.samples import Samples
from tests.old_runtime import reference_answers
from tests.run.tiny_models import Answer, make_samples, make_target, write_tflite

pytest.importorskip("tflite_micro", reason="tflite-micro is not installed (extra micro)")
Run = Callable[..., Answer]
MICRO = make_target(engine="tflm", accept=("tflm",), kernels="reference")
JOB = {"engine": "tflm", "version": "0.dev", "model": ""}


def test_same_bits_as_the_reference_kernels_of_tflite_runtime(
    answer: Run, resnet8: Callable[[str], Path], cifar10: Samples, tmp_path: Path
) -> None:
    some = cifar10.take(range(100))
    got = answer(resnet8("int8"), some, target=MICRO, workers=2)
    prepared = (some.images.astype(int) - 128).astype(np.int8)
    assert got.outputs.tobytes() == reference_answers(resnet8("int8"), prepared, tmp_path).tobytes()


def test_a_dense_layer_has_the_same_bits_too(answer: Run, tmp_path: Path) -> None:
    model, samples = write_tflite(tmp_path / "m.tflite", (1, 4, 4, 3), dtype="int8"), make_samples(200)
    got = answer(model, samples, target=MICRO)
    prepared = (samples.images.astype(int) - 128).astype(np.int8)
    assert got.outputs.tobytes() == reference_answers(model, prepared, tmp_path).tobytes()
    assert len(np.unique(got.outputs, axis=0)) > 100


def test_the_same_answers_as_litert_up_to_a_step(answer: Run, resnet8: Callable[[str], Path], cifar10: Samples) -> None:
    some = cifar10.take(range(60))
    micro, litert = (answer(resnet8("int8"), some, target=t) for t in (MICRO, make_target(kernels="reference")))
    steps = np.abs(micro.outputs.astype(int) - litert.outputs.astype(int))
    assert (micro.outputs.argmax(axis=1) == litert.outputs.argmax(axis=1)).all()
    assert 0 < steps.mean() < 0.2  # FULLY_CONNECTED differs by one step of 256, which softmax stretches


def test_the_known_arena_of_resnet8(answer: Run, resnet8: Callable[[str], Path], cifar10: Samples) -> None:
    result = answer(resnet8("int8"), cifar10.take(range(2)), target=MICRO, latency=True).result
    assert result.arena is not None
    assert (result.arena.total, result.arena.head, result.arena.tail) == (55_984, 49_152, 6_832)
    assert result.arena.smallest == result.hello["arena_bytes"] == 55_984
    assert (result.latency, result.peak_memory_mb) == (None, None)


def test_an_arena_one_step_smaller_does_not_work(answer: Run, tmp_path: Path) -> None:
    model = write_tflite(tmp_path / "m.tflite", (1, 4, 4, 3), dtype="int8")
    arena = answer(model, make_samples(1), target=MICRO).result.arena
    assert arena is not None
    data = contents(str(model))[0]
    allocate(JOB, data, arena.smallest)
    with pytest.raises(Fault, match="arena is too small") as caught:
        allocate(JOB, data, arena.smallest - 16)
    assert caught.value.fields["code"] == "arena"
    assert "Requested" in caught.value.fields["seen"]


@pytest.mark.parametrize("least", [16, 32, 1_000, 4_096, 55_984, 999_984, 1 << 20])
@pytest.mark.parametrize("guess", [16, 55_980, 56_000, 1 << 19, 1 << 20])
def test_the_search_finds_the_least_size_whatever_the_guess(least: int, guess: int) -> None:
    tried: list[int] = []

    def works(size: int) -> bool:
        tried.append(size)
        return size >= least

    assert smallest(works, guess, 1 << 20) == -(-least // 16) * 16
    assert len(tried) == len(set(tried)) <= 18


def test_a_right_guess_takes_two_tries() -> None:
    tried: list[int] = []
    assert smallest(lambda size: not tried.append(size) and size >= 55_984, 55_984, 1 << 20) == 55_984
    assert tried == [55_984, 55_968]


@pytest.mark.parametrize(
    ("said", "message", "seen"),
    [
        (
            "Didn't find op for builtin opcode 'GELU'\nFailed to get registration",
            "no operator GELU",
            "tflite-micro 0.d",
        ),
        ("Failed to resize buffer. Requested: 49152, available 33392, missing: 15760", "too small", "Requested: 49152"),
        ("Input type UINT8 (3) not supported.\nNode FULLY_CONNECTED (number 0) failed", "refuses", "UINT8"),
        ("", "refuses the model", "TFLM failed"),
    ],
)
def test_tflms_own_words_become_one_line(said: str, message: str, seen: str) -> None:
    fault = reason(said, "TFLM failed to allocate tensors", "0.dev2026")
    assert message in str(fault)
    assert seen in fault.fields["seen"]


@pytest.mark.parametrize(("dtype", "words"), [("uint8", "FULLY_CONNECTED with uint8 weights")])
def test_a_model_that_cannot_run_there_says_why(answer: Run, tmp_path: Path, dtype: str, words: str) -> None:
    model = write_tflite(tmp_path / "m.tflite", (1, 4, 4, 3), dtype=dtype)
    with pytest.raises(ModelError, match=words):
        answer(model, make_samples(1), target=MICRO)
    with pytest.raises(Fault, match="refuses the model") as caught:
        allocate(JOB, model.read_bytes(), 1 << 20)
    assert "UINT8" in caught.value.fields["seen"]


def test_one_of_several_outputs_is_read(answer: Run, tmp_path: Path) -> None:
    from edgeval.run.job import Reading

    model, samples = write_tflite(tmp_path / "m.tflite", (1, 4, 4, 3), dtype="int8", outputs=2), make_samples(5)
    got = answer(model, samples, target=MICRO, reading=Reading(output="answer1"))
    assert got.result.hello["output"]["name"] == "answer1"
    assert got.outputs.shape == (5, 3)


def test_float_models_run_and_give_what_numpy_gives(answer: Run, tmp_path: Path) -> None:
    from tiny_models import weights

    samples = make_samples()
    got = answer(write_tflite(tmp_path / "m.tflite", (1, 4, 4, 3)), samples, 1 / 255, target=MICRO)
    wanted = samples.images.reshape(len(samples), -1) / 255 @ weights().T
    np.testing.assert_allclose(got.outputs, wanted, atol=1e-5)


def test_progress_comes_in_small_steps(answer: Run, tmp_path: Path) -> None:
    model = write_tflite(tmp_path / "m.tflite", (1, 4, 4, 3), dtype="int8")
    got = answer(model, make_samples(250), target=MICRO, workers=2)
    assert [done for done, _ in got.steps][:2] == [0, 100]
    assert got.steps[-1] == (250, 250)


def test_what_tflm_prints_of_its_arena_is_read(capfd: pytest.CaptureFixture[str]) -> None:
    import os

    with Overheard() as said:
        os.write(2, b"[RecordingMicroAllocator] Arena allocation total 9 bytes\r\n")
    assert said.text.endswith("total 9 bytes\r\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(Fault, match="does not tell"):
        recorded(said.text)

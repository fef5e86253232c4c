"""From samples to answers through the real agent and the real runtimes, with tiny models."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.errors import BenchError, CardError, DataError, EdgevalError, IntegrityError, ModelError
from edgeval.records.artifact import Preprocess
from edgeval.run.host import LocalHost, LocalProcess
from edgeval.run.infer import dequantise, infer, missing
from edgeval.run.job import Job
from tests.run.tiny_models import (
    CLASSES,
    SIDE,
    Answer,
    Memory,
    make_samples,
    make_target,
    weights,
    write_onnx,
    write_tflite,
)

Run = Callable[..., Answer]
NHWC, NCHW = (1, SIDE, SIDE, 3), (1, 3, SIDE, SIDE)


def expected(images: Any, scale: float = 1.0) -> Any:
    """The dense layer in numpy: (N, classes)."""
    return images.reshape(len(images), -1) * scale @ weights().T


def test_float_tflite_gives_what_numpy_gives(answer: Run, tmp_path: Path) -> None:
    samples = make_samples()
    got = answer(write_tflite(tmp_path / "m.tflite", NHWC), samples, 1 / 255, chunk=7, workers=2)
    np.testing.assert_allclose(got.outputs, expected(samples.images, 1 / 255), atol=1e-5)
    assert sorted(got.sink.chunks) == [(0, 7), (7, 14), (14, 20)]
    assert got.steps[0] == (0, 20)
    assert got.steps[-1] == (20, 20)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_quantised_outputs_stay_raw_and_dequantise_to_numpys(answer: Run, tmp_path: Path, dtype: str) -> None:
    samples = make_samples()
    got = answer(write_tflite(tmp_path / "m.tflite", NHWC, dtype=dtype), samples)
    assert got.outputs.dtype == dtype
    limits = np.iinfo(dtype)
    exact = samples.images.reshape(len(samples), -1) @ (np.rint(weights() / 0.01) * 0.01).T
    steps = np.clip(np.rint(exact / 2 + 3), limits.min, limits.max)
    np.testing.assert_allclose(dequantise(got.outputs, got.result.hello), (steps - 3) * 2, atol=2)


def test_an_input_of_another_type_than_the_cards_is_refused(answer: Run, tmp_path: Path) -> None:
    path, needs = write_tflite(tmp_path / "m.tflite", NHWC, dtype="uint8"), make_target().model
    target = make_target().changed(model=needs.model_copy(update={"dtype": "int8"}))
    with pytest.raises(ModelError, match=r"m\.tflite: its input .*seen: uint8, the card says int8"):
        answer(path, make_samples(), target=target)
    same = make_target().changed(model=needs.model_copy(update={"dtype": "uint8"}))
    assert len(answer(path, make_samples(), target=same).outputs) == 20


@pytest.mark.parametrize("shape", [NHWC, NCHW, ("batch", 3, SIDE, SIDE), ("batch", "height", "width", 3)])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_onnx_of_both_layouts(answer: Run, tmp_path: Path, shape: tuple[Any, ...], kind: type) -> None:
    samples = make_samples()
    images = samples.images.astype(kind)
    samples = type(samples)(images, samples.labels, samples.ids, samples.class_names)
    got = answer(write_onnx(tmp_path / "m.onnx", shape), samples, 1 / 255)
    seen = images.transpose(0, 3, 1, 2) if shape[1] == 3 else images
    np.testing.assert_allclose(got.outputs, expected(seen, 1 / 255), atol=1e-5)
    assert got.result.hello["options"] == {"session.x64quantprecision": "1"}
    assert got.result.hello["graph_optimization"] == "ORT_ENABLE_ALL"


def test_float16_goes_in_and_comes_out(answer: Run, tmp_path: Path) -> None:
    samples = make_samples()
    got = answer(write_onnx(tmp_path / "m.onnx", NHWC, dtype="FLOAT16"), samples, 1 / 255)
    assert got.outputs.dtype == np.float16
    np.testing.assert_allclose(got.outputs, expected(samples.images, 1 / 255), atol=0.02)
    assert dequantise(got.outputs, got.result.hello).dtype == np.float32


def test_means_and_deviations_reach_the_model(answer: Run, tmp_path: Path) -> None:
    samples, mean, std = make_samples(), (0.1, 0.2, 0.3), (0.5, 0.25, 2.0)
    preprocess = Preprocess(scale=1 / 255, mean=mean, std=std)
    got = answer(write_tflite(tmp_path / "m.tflite", NHWC), samples, preprocess=preprocess)
    np.testing.assert_allclose(got.outputs, expected((samples.images / 255 - mean) / std), atol=1e-5)


def test_the_delegate_that_ran_is_recorded(answer: Run, tmp_path: Path) -> None:
    model = write_tflite(tmp_path / "m.tflite", NHWC)
    hellos = {k: answer(model, make_samples(1), kernels=k).result.hello for k in ("auto", "builtin", "reference")}
    assert [(h["delegate"], h["delegated"]) for h in hellos.values()] == [("xnnpack", 1), (None, 0), (None, 0)]
    assert [h["kernels"] for h in hellos.values()] == list(hellos)


def test_latency_and_memory_are_measured_with_the_cards_threads(answer: Run, tmp_path: Path) -> None:
    result = answer(write_tflite(tmp_path / "m.tflite", NHWC), make_samples(), latency=True, threads=2).result
    assert result.latency is not None
    assert result.latency.threads == 2
    assert 0 < result.latency.p50 <= result.latency.p95 < 100
    assert 5 <= result.latency.n <= 2000
    assert 10 < (result.peak_memory_mb or 0) < 1000
    assert result.hello["threads"] == 2


@pytest.mark.parametrize(
    ("have", "gaps"),
    [
        ([], [(0, 10)]),
        ([(0, 10)], []),
        ([(4, 6)], [(0, 4), (6, 10)]),
        ([(6, 10), (0, 3), (2, 4)], [(4, 6)]),
    ],
)
def test_missing_ranges(have: list[tuple[int, int]], gaps: list[tuple[int, int]]) -> None:
    assert missing(have, 10) == gaps


def test_only_what_is_missing_is_run(answer: Run, tmp_path: Path) -> None:
    model, samples = write_tflite(tmp_path / "m.tflite", NHWC), make_samples()
    whole = answer(model, samples, chunk=4)
    marked = np.full((4, CLASSES), 42, np.float32)
    resumed = answer(model, samples, chunk=4, sink=Memory({(4, 8): marked}))
    np.testing.assert_array_equal(resumed.outputs[4:8], marked)
    np.testing.assert_array_equal(resumed.outputs[8:], whole.outputs[8:])
    assert resumed.steps == [(4, 20), (8, 20), (12, 20), (16, 20), (20, 20)]
    again = answer(model, samples, chunk=4, sink=resumed.sink)
    assert again.steps == [(20, 20)]
    assert again.result.hello == whole.result.hello


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "options", "kind", "words"),
    [
        (lambda p: p / "no.tflite", {}, ModelError, "no such model file"),
        (lambda p: write(p / "m.tflite", b""), {}, ModelError, "0 bytes"),
        (lambda p: write(p / "m.tflite", b"hello" * 99), {}, ModelError, "not a valid Flatbuffer"),
        (lambda p: write(p / "m.onnx", b"hello" * 99), {}, ModelError, "Protobuf parsing failed"),
        (lambda p: write_tflite(p / "m.tflite", (1, 9, 9, 3)), {}, ModelError, "input 1x9x9x3, one image 1x4x4x3"),
        (lambda p: write_onnx(p / "m.onnx", (8, 4, 4, 3)), {}, ModelError, "input 8x4x4x3"),
        (lambda p: write_tflite(p / "m.tflite", NHWC, outputs=2), {}, ModelError, "2 outputs"),
        (lambda p: write_onnx(p / "m.onnx", NHWC, flatten=False), {}, ModelError, "one row of numbers"),
        (lambda p: write_onnx(p / "m.onnx", NHWC, dtype="INT32"), {}, ModelError, "input type is not supported"),
        (lambda p: write_onnx(p / "m.onnx", NHWC), {"kernels": "reference"}, CardError, "one family of kernels"),
        (lambda p: write_tflite(p / "m.tflite", NHWC, nan=True), {}, IntegrityError, "20 of 20 answers"),
        (lambda p: write_tflite(p / "m.tflite", NHWC), {"preprocess": Preprocess(mean=(0, 0))}, DataError, "1 or 3"),
    ],
)
def test_what_cannot_be_run_is_one_clear_line(
    answer: Run, tmp_path: Path, make: Callable[[Path], Path], options: Any, kind: type[EdgevalError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        answer(make(tmp_path), make_samples(), **options)
    assert "\n" not in str(caught.value)


def test_a_truncated_model_is_refused(answer: Run, tmp_path: Path) -> None:
    whole = write_tflite(tmp_path / "m.tflite", NHWC).read_bytes()
    with pytest.raises(ModelError, match=r"cut\.tflite: the runtime refuses the model"):
        answer(write(tmp_path / "cut.tflite", whole[: len(whole) // 2]), make_samples())


def test_answers_that_are_no_numbers_are_not_saved(answer: Run, tmp_path: Path) -> None:
    sink = Memory()
    with pytest.raises(IntegrityError):
        answer(write_tflite(tmp_path / "m.tflite", NHWC, nan=True), make_samples(), sink=sink)
    assert not sink.chunks


class Link(LocalHost):
    """This computer behind a link that changes the bytes of the first runs of a job."""

    def __init__(self, change: Callable[[bytes], bytes], runs: int) -> None:
        super().__init__()
        self.change, self.runs = change, runs

    def run(self, argv: Sequence[str], *, alone: bool = False) -> LocalProcess:
        process = super().run(argv, alone=alone)
        if argv[2] == "run" and self.runs > 0:
            self.runs -= 1
            process._child.stdout, real = io.BytesIO(self.change(process.stdout.read())), process.stdout
            real.close()
        return process


def flip(stream: bytes) -> bytes:
    """Another bit in the first byte of the first chunk's payload."""
    at = stream.index(b"\n", stream.index(b'"type": "chunk"')) + 1
    return stream[:at] + bytes([stream[at] ^ 1]) + stream[at + 1 :]


def through(link: Link, model: Path, sink: Memory, facts: dict[str, Any]) -> list[int]:
    job = Job(model, make_samples(), Preprocess(scale=1), make_target(), chunk=4, workers=1, latency=False)
    done: list[int] = []
    with link:
        infer(link, job, sink, progress=lambda count, _: done.append(count), facts=facts)
    return done


def test_a_damaged_chunk_is_asked_for_again(answer: Run, tmp_path: Path, facts: dict[str, Any]) -> None:
    model, sink = write_tflite(tmp_path / "m.tflite", NHWC), Memory()
    assert through(Link(flip, runs=1), model, sink, facts) == [0, 4, 8, 12, 16, 20]
    assert list(sink.chunks)[-1] == (0, 4)
    np.testing.assert_array_equal(sink.all(), answer(model, make_samples()).outputs)


def test_a_link_that_always_damages_is_an_integrity_error(tmp_path: Path, facts: dict[str, Any]) -> None:
    model, sink = write_tflite(tmp_path / "m.tflite", NHWC), Memory()
    with pytest.raises(IntegrityError, match="4 answers; damaged chunks: 2"):
        through(Link(flip, runs=2), model, sink, facts)
    assert (0, 4) not in sink.chunks


def test_a_cut_link_keeps_what_came_and_resumes(answer: Run, tmp_path: Path, facts: dict[str, Any]) -> None:
    model, sink = write_tflite(tmp_path / "m.tflite", NHWC), Memory()
    with pytest.raises(BenchError, match="the agent stopped"):
        through(Link(lambda stream: stream[: len(stream) * 2 // 3], runs=1), model, sink, facts)
    kept = len(sink.chunks)
    assert 0 < kept < 5
    assert len(through(Link(flip, runs=0), model, sink, facts)) == 1 + 5 - kept
    np.testing.assert_array_equal(sink.all(), answer(model, make_samples()).outputs)

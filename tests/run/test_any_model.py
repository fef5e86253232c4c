"""Models of every make: layouts, types, grids, shapes of input and output, weights elsewhere, unknown operators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save_model

from edgeval.errors import EdgevalError, IntegrityError, ModelError
from edgeval.export import flatbuffer
from edgeval.run.infer import dequantise
from edgeval.run.job import Reading
from edgeval.run.onnxfile import read_onnx
from edgeval.tasks.samples import Samples
from tests.run.tiny_models import CLASSES, SIDE, Answer, make_samples, weights, write_onnx, write_tflite

Run = Callable[..., Answer]
NHWC = (1, SIDE, SIDE, 3)
U8, F32 = TensorProto.UINT8, TensorProto.FLOAT
STORED = np.rint(weights() / 0.01) * 0.01


def build(path: Path, nodes: list[Any], tensors: dict[str, Any], io: tuple[list[Any], list[Any]], **more: Any) -> Path:
    """A graph with these nodes, constants, inputs and outputs as an .onnx file."""
    held = [numpy_helper.from_array(value, name) for name, value in tensors.items()]
    graph = helper.make_graph(nodes, "tiny", *io, held)
    sets = [helper.make_opsetid("", 20), helper.make_opsetid("own", 1)]
    save_model(helper.make_model(graph, opset_imports=sets, ir_version=9), path, **more)
    return path


def shaped(path: Path, *shapes: tuple[int, ...], image: tuple[Any, ...] = NHWC, kind: int = F32) -> Path:
    """The dense layer in float with one output a shape; an integer image is cast."""
    nodes = [helper.make_node("Cast", ["image"], ["f"], to=F32), helper.make_node("Flatten", ["f"], ["flat"])]
    nodes.append(helper.make_node("MatMul", ["flat", "w"], ["rows"]))
    tensors: dict[str, Any] = {"w": weights().T.copy()}
    for at, shape in enumerate(shapes):
        tensors[f"shape{at}"] = np.array(shape, np.int64)
        tensors[f"size{at}"] = np.array(int(np.prod(shape)), np.int64)
        tensors |= {"zero": np.array([0], np.int64), "one": np.array([1], np.int64)}
        tensors[f"end{at}"] = np.array([int(np.prod(shape))], np.int64)
        nodes.append(helper.make_node("Slice", ["rows", "zero", f"end{at}", "one"], [f"part{at}"]))
        nodes.append(helper.make_node("Reshape", [f"part{at}", f"shape{at}"], [f"out{at}"]))
    outputs = [helper.make_tensor_value_info(f"out{at}", F32, shape) for at, shape in enumerate(shapes)]
    return build(path, nodes, tensors, ([helper.make_tensor_value_info("image", kind, image)], outputs))


def expected(images: Any) -> Any:
    return images.astype(np.float64).reshape(len(images), -1) @ weights().T


@pytest.mark.parametrize("shape", [(1, 3), (3,), (1, 1, 1, 3), (1, 3, 1, 1), (1, 1, 3)])
def test_outputs_with_more_dimensions_are_rows(answer: Run, tmp_path: Path, shape: tuple[int, ...]) -> None:
    samples = make_samples(6)
    got = answer(shaped(tmp_path / "m.onnx", shape), samples, chunk=4, reading=Reading(classes=3))
    np.testing.assert_allclose(got.outputs, expected(samples.images), rtol=1e-3)


def test_of_several_outputs_the_one_with_the_classes_is_read(answer: Run, tmp_path: Path) -> None:
    samples, model = make_samples(4), shaped(tmp_path / "m.onnx", (1, 2), (1, 3), (1, 1))
    np.testing.assert_allclose(
        answer(model, samples, reading=Reading(classes=3)).outputs, expected(samples.images), rtol=1e-3
    )
    assert answer(model, samples, reading=Reading(output="out0")).outputs.shape == (4, 2)


@pytest.mark.parametrize(("layout", "order"), [("nhwc", (0, 1, 2, 3)), ("nchw", (0, 3, 1, 2))])
@pytest.mark.parametrize("flat", [False, True])
def test_a_flag_settles_a_layout_that_the_shape_leaves_open(
    answer: Run, tmp_path: Path, layout: Any, order: tuple[int, ...], flat: bool
) -> None:
    samples, image = make_samples(4), (1, SIDE * SIDE * 3) if flat else ("n", "a", SIDE, "b")
    model = shaped(tmp_path / "m.onnx", (1, 3), image=image)
    got = answer(model, samples, reading=Reading(layout=layout))
    np.testing.assert_allclose(got.outputs, expected(samples.images.transpose(order)), rtol=1e-3)


def test_channels_can_be_reversed(answer: Run, tmp_path: Path) -> None:
    samples = make_samples(4)
    got = answer(shaped(tmp_path / "m.onnx", (1, 3)), samples, reading=Reading(channels="bgr"))
    np.testing.assert_allclose(got.outputs, expected(samples.images[..., ::-1]), rtol=1e-3)


def test_plain_uint8_input_takes_pixels_unless_told_otherwise(answer: Run, tmp_path: Path) -> None:
    samples, model = make_samples(4), shaped(tmp_path / "m.onnx", (1, 3), kind=U8)
    raw = answer(model, samples, 1 / 255, reading=Reading(declared=False))
    np.testing.assert_allclose(raw.outputs, expected(samples.images), rtol=1e-3)
    assert raw.result.hello["input"]["preprocess"]["scale"] == 1
    told = answer(model, samples, 0.5)
    np.testing.assert_allclose(told.outputs, expected(np.rint(samples.images * 0.5)), rtol=1e-3)


def test_an_onnx_files_own_grids_are_used(answer: Run, tmp_path: Path) -> None:
    tensors = {"s": np.float32(1 / 255), "z": np.uint8(0), "os": np.float32(0.05), "oz": np.uint8(128)}
    nodes = [
        helper.make_node("Transpose", ["image"], ["moved"], perm=[0, 1, 2, 3]),
        helper.make_node("DequantizeLinear", ["moved", "s", "z"], ["f"]),
        helper.make_node("Flatten", ["f"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["rows"]),
        helper.make_node("QuantizeLinear", ["rows", "os", "oz"], ["q"]),
        helper.make_node("Identity", ["q"], ["answer"]),
    ]
    io = [helper.make_tensor_value_info("image", U8, NHWC)], [helper.make_tensor_value_info("answer", U8, (1, 3))]
    model = build(tmp_path / "m.onnx", nodes, {**tensors, "w": weights().T.copy()}, io)
    assert read_onnx(model).grids == {
        "image": (pytest.approx(1 / 255), 0),
        "answer": (pytest.approx(0.05), 128),
    }
    samples = make_samples(4)
    got = answer(model, samples, 1 / 255, reading=Reading(declared=False))
    np.testing.assert_allclose(dequantise(got.outputs, got.result.hello), expected(samples.images / 255), atol=0.03)


def test_double_input_and_output(answer: Run, tmp_path: Path) -> None:
    samples = make_samples(4)
    got = answer(write_onnx(tmp_path / "m.onnx", NHWC, dtype="DOUBLE"), samples)
    assert got.outputs.dtype == np.float64
    np.testing.assert_allclose(got.outputs, expected(samples.images), rtol=1e-4)


def test_a_tflite_file_with_a_fixed_batch_is_run_one_by_one(answer: Run, tmp_path: Path) -> None:
    samples, model = make_samples(4), flatbuffer.parse(write_tflite(tmp_path / "m.tflite", NHWC).read_bytes())
    image, _, rows = model.subgraphs[0].tensors
    image.shape, rows.shape = np.array([2, SIDE, SIDE, 3], np.int32), np.array([2, CLASSES], np.int32)
    (tmp_path / "two.tflite").write_bytes(flatbuffer.pack(model))
    got = answer(tmp_path / "two.tflite", samples)
    np.testing.assert_allclose(got.outputs, expected(samples.images), rtol=1e-3)


def beside(path: Path, location: str) -> Path:
    """A model whose weights lie in another file."""
    model = shaped(path / "m.onnx", (1, 3))
    import onnx

    loaded = onnx.load(model)
    (path / "w.bin").write_bytes(weights().T.tobytes())
    for tensor in loaded.graph.initializer:
        if tensor.name == "w":
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value=location)
    model.write_bytes(loaded.SerializeToString())
    return model


def test_weights_in_a_file_beside_the_model(answer: Run, tmp_path: Path) -> None:
    samples = make_samples(4)
    np.testing.assert_allclose(answer(beside(tmp_path, "w.bin"), samples).outputs, expected(samples.images), rtol=1e-3)


def own_operator(path: Path) -> Path:
    io = [helper.make_tensor_value_info("image", F32, NHWC)], [helper.make_tensor_value_info("answer", F32, (1, 3))]
    return build(path, [helper.make_node("Magic", ["image"], ["answer"], domain="own")], {}, io)


def linked(path: Path) -> Path:
    (path / "link.bin").symlink_to("/etc/hostname")
    return beside(path, "link.bin")


FEW = Samples(make_samples(4).images, make_samples(4).labels % 2, tuple("0123"), ("a", "b"))
REFUSED: list[tuple[Any, dict[str, Any], type[EdgevalError], str]] = [
    (lambda p: beside(p, "../w.bin"), {}, IntegrityError, "outside its own folder"),
    (lambda p: beside(p, "/etc/hostname"), {}, IntegrityError, "outside its own folder"),
    (linked, {}, IntegrityError, "outside its own folder"),
    (lambda p: beside(p, "gone.bin"), {}, ModelError, r"missing \(seen: gone.bin\)"),
    (lambda p: own_operator(p / "m.onnx"), {}, ModelError, "an operator that the runtime does not have"),
    (lambda p: shaped(p / "m.onnx", (1, 3), (3, 1)), {}, ModelError, "--output NAME"),
    (lambda p: shaped(p / "m.onnx", (1, 3)), {"output": "nix"}, ModelError, r"1 outputs: out0 1x3.*one of these"),
    (lambda p: shaped(p / "m.onnx", (1, 3)), {"classes": 2}, ModelError, "background class"),
    (lambda p: shaped(p / "m.onnx", (1, 3)), {"classes": 9}, ModelError, "3 outputs, 9 classes.*classes.txt"),
    (lambda p: shaped(p / "m.onnx", (1, 1)), {"classes": 2}, ModelError, "a single output"),
    (lambda p: write_onnx(p / "m.onnx", (1, 8, 6, 3)), {}, ModelError, "--size 8x6"),
    (lambda p: write_onnx(p / "m.onnx", (8, 4, 4, 3)), {}, ModelError, "its batch is fixed at 8"),
    (lambda p: write_onnx(p / "m.onnx", (1, 1, 4, 4)), {}, ModelError, "it wants 1 channels, the images have 3"),
    (lambda p: shaped(p / "m.onnx", (1, 3), image=(1, 48)), {}, ModelError, "--layout nhwc or --layout nchw"),
    (
        lambda p: shaped(p / "m.onnx", (1, 3), kind=TensorProto.INT8),
        {"declared": False},
        ModelError,
        "no scale and zero point.*--scale 1 --mean 128",
    ),
]


@pytest.mark.parametrize(("make", "reading", "kind", "words"), REFUSED)
def test_what_cannot_run_is_refused_before_the_run(
    answer: Run, tmp_path: Path, make: Any, reading: dict[str, Any], kind: type[EdgevalError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        answer(make(tmp_path), make_samples(), reading=Reading(**reading))
    assert "\n" not in str(caught.value)

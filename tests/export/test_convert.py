"""All formats of one network: what the files and their cards hold, and that they answer as torch does."""

from __future__ import annotations

import copy
import hashlib
import re

import pytest
import torch

from edgeval.errors import IntegrityError, ModelError
from edgeval.export.convert import Request, export
from edgeval.nets.resnet import ResNet18
from edgeval.records.artifact import FORMATS, ArtifactCard, Format, float_twin
from tests.export.small_net import CLASSES, Exported, Net, images, request_for


@pytest.mark.parametrize("fmt", FORMATS)
def test_card_describes_the_file(exported: Exported, fmt: Format) -> None:
    data, card = exported[fmt]
    assert card.sha256 == hashlib.sha256(data).hexdigest()
    assert (card.format, card.size_bytes, card.file) == (fmt, len(data), f"{fmt}.{fmt.partition('-')[0]}")
    assert card.params == sum(p.numel() for p in Net().parameters())
    assert card.class_names == CLASSES
    assert {"torch", "numpy", "python"} < set(card.versions)
    assert ArtifactCard.model_validate_json(card.model_dump_json(by_alias=True)) == card


@pytest.mark.parametrize("fmt", FORMATS)
def test_files_do_not_tell_where_they_were_made(exported: Exported, fmt: Format) -> None:
    data, _ = exported[fmt]
    assert not re.search(rb"\.py\b|/tmp/", data)
    assert b"site-packages" not in data


@pytest.mark.parametrize("fmt", ["onnx-fp32", "tflite-fp32"])
def test_float_files_answer_as_torch_does(exported: Exported, fmt: Format) -> None:
    parity = exported[fmt][1].parity
    assert (parity.n, parity.argmax_agreement, parity.passed) == (16, 1.0, True)
    assert parity.max_abs_error < 1e-5


@pytest.mark.parametrize("fmt", [fmt for fmt in FORMATS if not fmt.endswith("fp32")])
def test_int8_files_stay_close_to_torch(exported: Exported, request_: Request, fmt: Format) -> None:
    parity = exported[fmt][1].parity
    spread = request_.reference.max() - request_.reference.min()
    assert 0 < parity.mean_abs_error < 0.01 * spread
    assert exported[fmt][1].size_bytes < exported[float_twin(fmt)][1].size_bytes / 3


def test_finer_activations_answer_closer_to_torch_than_int8_ones(exported: Exported) -> None:
    coarse = exported["tflite-int8"][1].parity.mean_abs_error
    for fmt in ("tflite-w8", "tflite-16x8"):
        assert exported[fmt][1].parity.mean_abs_error < 0.7 * coarse  # type: ignore[index]


def test_weights_alone_are_int8_where_activations_stay_float(exported: Exported) -> None:
    card = exported["tflite-w8"][1]
    assert card.operators["DEQUANTIZE"] == 5  # one for each layer with weights
    assert (card.tensor_types["int8"], set(card.tensor_types)) == (5, {"int8", "int32", "float32"})


def test_16x8_is_integer_all_through_but_for_what_coral_takes(request_: Request, exported: Exported, net: Net) -> None:
    assert set(exported["tflite-16x8"][1].tensor_types) == {"int8", "int16", "int32", "int64"}
    request = request_for(net, "coral")
    vars(request).update(float_tflite=request_.float_tflite, ranges=request_.ranges)
    for fmt, seen in {"tflite-16x8": "int16", "tflite-w8": "float32"}.items():
        with pytest.raises(ModelError, match=f"the Edge TPU cannot run .*{seen} tensor"):
            export(request, fmt)  # type: ignore[arg-type]


def test_inputs_and_outputs(exported: Exported) -> None:
    shapes = {fmt: (card.input.shape, card.input.dtype, card.output.dtype) for fmt, (_, card) in exported.items()}
    assert shapes == {
        "onnx-fp32": ((-1, 3, 16, 16), "float32", "float32"),
        "onnx-int8": ((-1, 3, 16, 16), "float32", "float32"),
        "tflite-fp32": ((1, 16, 16, 3), "float32", "float32"),
        "tflite-int8": ((1, 16, 16, 3), "int8", "int8"),
        "tflite-w8": ((1, 16, 16, 3), "float32", "float32"),
        "tflite-16x8": ((1, 16, 16, 3), "int16", "int16"),
    }
    assert exported["tflite-int8"][1].input.scale is not None


def test_tflite_is_nhwc_all_through_and_all_integer(exported: Exported) -> None:
    card = exported["tflite-int8"][1]
    assert card.operators == {"ADD": 1, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 1, "FULLY_CONNECTED": 1, "MEAN": 1, "PAD": 2}
    assert set(card.tensor_types) == {"int8", "int32"}


def test_only_formats_with_quantised_activations_name_their_calibration_images(exported: Exported) -> None:
    assert exported["onnx-fp32"][1].calibration is None
    assert exported["tflite-w8"][1].calibration is None
    calibration = exported["tflite-int8"][1].calibration
    assert calibration is not None
    assert exported["tflite-16x8"][1].calibration == calibration
    assert (calibration.n, calibration.ids[0], calibration.method) == (24, "0/0", "min/max")
    assert calibration.content_hashes == tuple(images(24, 0).content_hashes())


def test_the_same_request_gives_the_same_bytes(exported: Exported, net: Net) -> None:
    again = request_for(copy.deepcopy(net).train())
    for fmt in ("onnx-int8", "tflite-int8", "tflite-w8", "tflite-16x8"):
        assert export(again, fmt)[1].sha256 == exported[fmt][1].sha256  # type: ignore[arg-type, index]


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_file_of_other_weights_is_an_integrity_error(request_: Request, net: Net, fmt: Format) -> None:
    other = copy.deepcopy(net)
    with torch.no_grad():
        other.head[1].weight.neg_()
    request = request_for(other)
    vars(request).update(float_onnx=request_.float_onnx, float_tflite=request_.float_tflite)
    with pytest.raises(IntegrityError, match=f"small:s0 {fmt} does not answer as torch does.*argmax agreement") as info:
        export(request, fmt)
    assert info.value.exit_code == 5


class Spectral(torch.nn.Module):
    """Takes eigenvalues, which neither format knows."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.eigvals(x).real.mean(dim=1)[:, : len(CLASSES)]


@pytest.mark.parametrize("fmt", ["onnx-fp32", "tflite-fp32"])
def test_what_cannot_be_converted_is_named(fmt: Format) -> None:
    with pytest.raises(ModelError, match=f"small:s0 cannot be converted to {fmt} .*eig"):
        export(request_for(Spectral()), fmt)


def test_a_network_that_cannot_take_the_images_is_named() -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(4, 10, 16), torch.nn.Flatten())
    with pytest.raises(ModelError, match=r"small:s0 cannot take these images .*channels"):
        export(request_for(net), "onnx-fp32")


def test_a_network_with_other_classes_is_refused(net: Net) -> None:
    wrong = Request(net, "small", request_for(net).preprocess, CLASSES[:9], images(4, 0), images(4, 1))
    with pytest.raises(ModelError, match="one logit a class"):
        export(wrong, "onnx-fp32")


def test_weights_that_lie_in_another_order_give_the_same_file() -> None:
    """Of a network that answered in channels-last order litert-torch read weights from freed memory."""
    net = ResNet18(8, len(CLASSES), 3).eval()
    other = copy.deepcopy(net).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    files = [export(request_for(one), "tflite-fp32") for one in (net, other)]
    assert files[0][0] == files[1][0]
    assert all(card.parity.max_abs_error < 1e-4 for _, card in files)

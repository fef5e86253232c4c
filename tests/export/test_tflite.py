"""The traps of int8 TFLite: clipped ranges, constants outside the file, dense weights."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer.utils import qsv_utils
from tqdm import tqdm

from edgeval.export import flatbuffer, quantize
from edgeval.export.convert import Request, export
from tests.export.small_net import Exported, Net, request_for

Ranges = dict[str, tuple[float, float]]


def seen_ranges(request: Request) -> Ranges:
    """The least and largest value of each tensor of the float file over the calibration images."""
    interpreter = Interpreter(model_content=request.float_tflite, num_threads=1, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    found: Ranges = {}
    for image in request.inputs(request.calibration):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        for detail in interpreter.get_tensor_details():
            if detail["dtype"] == np.float32 and detail["name"]:
                values = interpreter.get_tensor(detail["index"])
                low, high = found.get(detail["name"], (0.0, 0.0))
                found[detail["name"]] = min(low, float(values.min())), max(high, float(values.max()))
    return found


def clipped(data: bytes, seen: Ranges) -> dict[str, float]:
    """The share of the seen range that each activation of an int8 file cannot hold, where more than a step."""
    result = {}
    model = flatbuffer.parse(data)
    outputs = {t.name.decode(): t for _, _, tensors in flatbuffer.operators(model) for t in tensors[-1:]}
    for name, tensor in outputs.items():
        scale, zero = tensor.quantization.scale[0], tensor.quantization.zeroPoint[0]
        low, high = (-128 - zero) * scale, (127 - zero) * scale
        missing = max(seen[name][1] - high, low - seen[name][0], 0.0)
        if missing > scale:
            result[name] = missing / (seen[name][1] - seen[name][0])
    assert len(outputs) >= 5
    return result


@pytest.mark.filterwarnings("ignore:Warning. Enabling `experimental_preserve_all_tensors`:UserWarning")
def test_calibration_is_true_min_and_max(
    exported: Exported, request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = seen_ranges(request_)
    assert clipped(exported["tflite-int8"][0], seen) == {}
    monkeypatch.setattr(qsv_utils, "min_max_update", qsv_utils.moving_average_update)  # the quantizer's default
    ranges = quantize.ranges(request_.float_tflite, request_.inputs(request_.calibration))
    average = quantize.integer(request_.float_tflite, ranges)
    assert max(clipped(average, seen).values()) > 0.1


def test_the_quantizer_alone_leaves_constants_outside(
    exported: Exported, request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantize, "settle", lambda data: data)
    raw = quantize.integer(request_.float_tflite, request_.ranges)
    root = flatbuffer.schema.Model.GetRootAs(raw, 0)
    assert any(root.Buffers(i).Offset() > 1 for i in range(root.BuffersLength()))
    assert {version for name, version, _ in flatbuffer.operators(flatbuffer.parse(raw)) if name == "CONV_2D"} == {1}
    assert flatbuffer.settle(raw) == exported["tflite-int8"][0]
    check = request_.inputs(request_.check)
    assert (outputs(raw, check) == outputs(exported["tflite-int8"][0], check)).all()


def outputs(data: bytes, images: np.ndarray) -> np.ndarray:
    from edgeval.export.parity import answers

    return answers(data, "tflite", images)


@pytest.mark.parametrize(("profile", "scales"), [("litert", 10), ("tflite-runtime", 1), ("coral", 1)])
def test_dense_weights_are_per_channel_only_for_litert(
    exported: Exported, request_: Request, net: Net, profile: str, scales: int
) -> None:
    request = request_for(net, profile)  # type: ignore[arg-type]
    vars(request).update(float_tflite=request_.float_tflite)
    data, card = export(request, "tflite-int8")
    assert card.file == {"litert": "tflite-int8.tflite"}.get(profile, f"tflite-int8.{profile}.tflite")
    weights = {
        name: len(t[1].quantization.scale)
        for name, _, t in flatbuffer.operators(flatbuffer.parse(data))
        if name in ("FULLY_CONNECTED", "DEPTHWISE_CONV_2D")
    }
    assert weights == {"FULLY_CONNECTED": scales, "DEPTHWISE_CONV_2D": 16}


def test_calibration_holds_no_semaphore_that_a_killed_process_would_leak(request_: Request) -> None:
    quantize.ranges(request_.float_tflite, request_.inputs(request_.calibration)[:1])
    assert isinstance(tqdm.get_lock(), type(threading.RLock()))

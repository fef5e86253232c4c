"""Reading what a model file is made of."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from edgeval.errors import ModelError
from edgeval.export.inspect import inspect
from tests.export.small_net import Exported


def test_onnx_operators_and_opset(exported: Exported) -> None:
    anatomy = inspect(exported["onnx-fp32"][0], "onnx")
    assert anatomy.version == 20
    assert anatomy.operators["Conv"] == 4
    assert (anatomy.input.name, anatomy.output.name, anatomy.output.shape) == ("input", "logits", (-1, 10))


def test_onnx_int8_weights_are_int8_and_per_channel(exported: Exported) -> None:
    data, card = exported["onnx-int8"]
    assert card.operators["QuantizeLinear"] > 0
    assert {"int8", "uint8"} < set(card.tensor_types)
    axes = [
        node for node in onnx.load_model_from_string(data).graph.node if any(a.name == "axis" for a in node.attribute)
    ]
    assert len(axes) >= 5


def test_tflite_schema_and_grid(exported: Exported) -> None:
    anatomy = inspect(exported["tflite-int8"][0], "tflite")
    assert anatomy.version == 3
    assert anatomy.output.shape == (1, 10)
    assert anatomy.output.scale is not None
    assert -128 <= (anatomy.output.zero_point or 0) <= 127


@pytest.mark.parametrize(("suffix", "data"), [("onnx", b"\xff\xff not a model"), ("tflite", b"hello"), ("h5", b"")])
def test_other_files_are_refused(suffix: str, data: bytes) -> None:
    with pytest.raises(ModelError):
        inspect(data, suffix)


def test_two_inputs_are_refused() -> None:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "abc"]
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["c"])], "g", values[:2], values[2:])
    with pytest.raises(ModelError, match=r"one input \(seen: a, b\)"):
        inspect(helper.make_model(graph).SerializeToString(), "onnx")

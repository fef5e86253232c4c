"""Which operators of a float file are what, and files in which only some of them are int8."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from edgeval.export import flatbuffer, quantize, tflite
from edgeval.export.kinds import kinds
from edgeval.export.parity import answers
from edgeval.nets.vit import Block
from tests.export.small_net import Exported

Floats = NDArray[np.float32]


class Attentive(torch.nn.Module):
    """Patches, one block of attention and GELU, a norm with weights of its own, a mean and a softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.block = torch.nn.Conv2d(2, 8, 4, 4), Block(8)
        self.norm, self.head = torch.nn.LayerNorm(8), torch.nn.Linear(8, 3)
        torch.nn.init.uniform_(self.norm.weight, 0.5, 2)
        torch.nn.init.uniform_(self.norm.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        return torch.softmax(self.head(self.norm(self.block(tokens)).mean(1)), 1)


@dataclass(frozen=True)
class Start:
    """A float file, images for it, and the ranges of its tensors over them."""

    data: bytes
    images: Floats
    ranges: quantize.Ranges


@pytest.fixture(scope="module")
def start() -> Start:
    torch.manual_seed(0)
    images = np.random.default_rng(0).normal(size=(16, 8, 8, 2)).astype(np.float32)
    data = tflite.convert(Attentive().eval(), images[:1])
    return Start(data, images, quantize.ranges(data, images))


def test_the_parts_of_a_layer_norm_are_told_from_residual_adds_and_from_the_mean_over_tokens(start: Start) -> None:
    found = {kind: len(scopes) for kind, scopes in kinds(start.data).items()}
    norms = found.pop("LayerNorm")
    assert found == {
        "convolution": 1,
        "dense": 5,
        "attention": 3,
        "softmax": 2,
        "residual add": 2,
        "GELU": 1,
        "pooling": 1,
    }
    names = Counter(name for name, _, _ in flatbuffer.operators(flatbuffer.parse(start.data)))
    assert norms == sum(names[n] for n in ("ADD", "MEAN", "MUL", "SUB", "RSQRT", "SQUARED_DIFFERENCE")) - 2 - 1 - 1


def test_a_net_without_norms_has_none(exported: Exported) -> None:
    found = kinds(exported["tflite-fp32"][0])
    assert {kind: len(scopes) for kind, scopes in found.items()} == {
        "convolution": 4,
        "residual add": 1,
        "pooling": 1,
        "dense": 1,
    }


@pytest.mark.parametrize(
    ("kind", "operator"),
    [("softmax", "SOFTMAX"), ("GELU", "GELU"), ("attention", "BATCH_MATMUL"), ("LayerNorm", "RSQRT")],
)
def test_one_kind_alone_is_int8_or_alone_is_not(start: Start, kind: str, operator: str) -> None:
    scopes = kinds(start.data)[kind]
    alone, without = quantize.only(start.data, start.ranges, scopes), quantize.all_but(start.data, start.ranges, scopes)
    assert (types(alone, operator), types(alone, "FULLY_CONNECTED")) == ({"int8"}, {"float32"})
    assert (types(without, operator), types(without, "FULLY_CONNECTED")) == ({"float32"}, {"int8"})
    float_answers = answers(start.data, "tflite", start.images)
    for data in (alone, without):
        error = np.abs(answers(data, "tflite", start.images) - float_answers).max()
        assert 0 < error < 0.05


def types(data: bytes, name: str) -> set[str]:
    """The types of what the operators of this name give out."""
    return {flatbuffer.type_name(t[-1]) for n, _, t in flatbuffer.operators(flatbuffer.parse(data)) if n == name}

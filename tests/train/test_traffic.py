"""The bytes of a small network, counted by hand."""

from __future__ import annotations

from torch import nn

from edgeval.nets import build
from edgeval.train.traffic import MASTER, traffic


def test_a_small_network_by_hand() -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),  # in 3 x 64, out 4 x 64
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 10),
    )
    found = traffic(net, (3, 8, 8))
    ahead = [192 + 256, 3 * 256, 256 + 4, 4 + 10]
    back = [2 * 256 + 192, 5 * 256, 256 + 4, 2 * 10 + 2 * 4]
    assert [layer.forward for layer in found.layers] == ahead
    assert [layer.backward for layer in found.layers] == back
    assert found.image(2) == 2 * (sum(ahead) + sum(back))
    weights = 108 + 8 + 50
    assert found.step(16, 2) == 16 * found.image(2) + weights * (6 + MASTER)


def test_residual_sums_and_dropout_of_mobilenet_are_counted() -> None:
    """Eleven sums: at w = 0.1 the first block keeps its 8 channels, and so has one too."""
    kinds = [layer.kind for layer in traffic(build("mobilenetv2", 0.1, 10)).layers]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"product": 53, "norm": 52, "sum": 11, "pool": 1}

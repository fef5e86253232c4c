"""Bytes that one image moves through a network in training: the formula of each layer, for roofline and plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

MASTER = 20  # bytes a weight and step: SGD reads float32 weight, gradient and momentum, writes weight and momentum


@dataclass(frozen=True)
class Layer:
    """Elements that a layer reads and writes for an image, and those that it keeps for the way back."""

    name: str
    kind: str
    forward: int
    backward: int
    kept: int


@dataclass(frozen=True)
class Traffic:
    """A whole network: its layers, and its weights, which move once a step and not once an image."""

    layers: tuple[Layer, ...]
    weights: int

    def image(self, element: int) -> int:
        """Bytes an image with elements of 2 (bf16) or 4 bytes."""
        return element * sum(layer.forward + layer.backward for layer in self.layers)

    def step(self, batch: int, element: int) -> int:
        """Bytes a step: activations of a batch; weights read on both ways, gradients written, SGD."""
        return batch * self.image(element) + self.weights * (3 * element + MASTER)

    def memory(self, batch: int, element: int) -> int:
        """Bytes that a branch holds: what is kept for the way back and as much again in flight; weights five times."""
        return 2 * batch * element * sum(layer.kept for layer in self.layers) + 5 * 4 * self.weights


def layer(name: str, module: nn.Module, read: int, write: int) -> Layer | None:
    """The formula of a layer with `read` elements in and `write` out; None for one that moves nothing by itself.

    convolution, linear: x, y; back: dy twice (for dx and dw), x, dx       batch norm with its activation: x twice, y;
    back: x and dy twice, dx       pooling: x, y; back: dy, dx       dropout: x, y; back: dy, dx
    residual sum: two x, y; back: two gradients into one
    """
    if isinstance(module, nn.Conv2d | nn.Linear):
        return Layer(name, "product", read + write, 2 * write + 2 * read, read)
    if isinstance(module, nn.BatchNorm2d):
        return Layer(name, "norm", 3 * read, 5 * read, read)
    if isinstance(module, nn.MaxPool2d | nn.AdaptiveAvgPool2d | nn.Dropout):
        return Layer(name, "pool", read + write, read + write, write)
    if getattr(module, "use_res_connect", False):
        return Layer(name, "sum", 3 * write, 3 * write, 0)
    return None


def traffic(net: nn.Module, shape: tuple[int, int, int] = (3, 32, 32)) -> Traffic:
    """Follow one image of (C, H, W) through a network. The first layer sends no gradient to the image."""
    found: list[Layer] = []

    def saw(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            made = layer(name, module, inputs[0][0].numel(), output[0].numel())
            if made:
                found.append(made)

        return hook

    hooks = [module.register_forward_hook(saw(name)) for name, module in net.named_modules()]
    training, net = net.training, net.eval()
    try:
        with torch.no_grad():
            net(torch.zeros(1, *shape))
    finally:
        net.train(training)
        for hook in hooks:
            hook.remove()
    first, pixels = found[0], shape[0] * shape[1] * shape[2]
    found[0] = Layer(first.name, first.kind, first.forward, first.backward - pixels, first.kept)
    return Traffic(tuple(found), sum(parameter.numel() for parameter in net.parameters()))

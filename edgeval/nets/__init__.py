"""The networks, each built from its width; they need torch and nothing of ours."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


SIZE = (48, 48)


def build(
    name: str, width: float, num_classes: int, in_channels: int = 3, *, size: tuple[int, int] = SIZE, stride: int = 1
) -> nn.Module:
    """The network of this name at this width, freshly initialised from torch's global seed.

    num_classes: or outputs of a regressor; size: height and width of its images, which `fcn` and `vit` are built for;
    stride: of the stem of `resnet`.
    """
    if name == "scalecnn":
        from edgeval.nets.scalecnn import ScaleCNN

        return ScaleCNN(int(width), num_classes, in_channels)
    if name == "mobilenetv2":
        from edgeval.nets.mobilenetv2 import mobilenetv2

        return mobilenetv2(width, num_classes, in_channels)
    if name == "fcn":
        from edgeval.nets.fcn import FCN

        return FCN(int(width), num_classes, (in_channels, *size))
    if name == "resnet":
        from edgeval.nets.resnet import ResNet18

        return ResNet18(int(width), num_classes, in_channels, stride)
    if name == "vit":
        from edgeval.nets.vit import ViT

        return ViT(int(width), num_classes, (in_channels, *size))
    raise ValueError(f"no network is called {name!r}")


def from_factory(factory: str, width: float) -> nn.Module:
    """The user's own network: `package.module:function` called with the width. Raises ValueError."""
    from torch import nn

    module_name, _, function = factory.partition(":")
    try:
        net = getattr(importlib.import_module(module_name), function)(width)
    except (ImportError, AttributeError, TypeError) as error:
        raise ValueError(f"{factory} cannot be called with a width: {error}") from error
    if not isinstance(net, nn.Module):
        raise ValueError(f"{factory} gave a {type(net).__name__}, not a torch.nn.Module")
    return net


def count_parameters(net: nn.Module) -> int:
    """Trainable parameters: batch-norm affine included, running statistics not."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)

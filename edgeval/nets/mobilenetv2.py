"""MobileNetV2(w) for 32x32 images: torchvision's network with a stem of stride 1 (arXiv 2603.07365)."""

from __future__ import annotations

from torch import nn

from edgeval.nets.vision import import_torchvision


def mobilenetv2(width: float, num_classes: int = 100, in_channels: int = 3) -> nn.Module:
    """torchvision's `mobilenet_v2(width_mult=width)` with one change: the stem's stride is 1.

    The new stem keeps 3x3, padding 1, no bias, and has PyTorch's default initialisation. Input (N, 3, 32, 32);
    the last feature map is 2x2; output (N, num_classes) logits.
    """
    import_torchvision()
    from torchvision.models import mobilenet_v2

    net: nn.Module = mobilenet_v2(weights=None, width_mult=width, num_classes=num_classes)
    stem = nn.Conv2d(in_channels, _width_of(net), 3, stride=1, padding=1, bias=False)
    net.set_submodule("features.0.0", stem)
    return net


def _width_of(net: nn.Module) -> int:
    """Channels of the stem."""
    norm = net.get_submodule("features.0.1")
    assert isinstance(norm, nn.BatchNorm2d)
    return norm.num_features

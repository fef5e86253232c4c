"""ScaleCNN(c): the plain convolutional ladder of arXiv 2603.07365."""

from __future__ import annotations

from torch import Tensor, nn


class ScaleCNN(nn.Module):
    """Four blocks of two 3x3 convolutions with batch norm and ReLU, width c * 2^i, then one linear layer.

    Input (N, 3, 32, 32), output (N, num_classes) logits. Feature maps 32, 16, 8, 4, then a global average.
    Parameters with 3 input channels and 100 classes: 1143 c^2 + 887 c + 100.
    """

    def __init__(self, width: int, num_classes: int = 100, in_channels: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = in_channels
        for block in range(4):
            wide = width * 2**block
            layers += [*_conv(channels, wide), *_conv(wide, wide)]
            layers.append(nn.MaxPool2d(2) if block < 3 else nn.AdaptiveAvgPool2d(1))
            channels = wide
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(x).flatten(1))
        return logits


def _conv(channels: int, wide: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    """3x3 convolution without bias, batch norm, ReLU."""
    return nn.Conv2d(channels, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU(inplace=True)

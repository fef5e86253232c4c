"""A small network with the parts that conversion stumbles over, and images for it."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from edgeval.export.convert import Request
from edgeval.records.artifact import ArtifactCard, Format, Preprocess, Profile
from edgeval.tasks.samples import Samples

Exported = dict[Format, tuple[bytes, ArtifactCard]]
CLASSES = tuple("abcdefghij")
PREPROCESS = Preprocess(mean=(0.5, 0.4, 0.3), std=(0.25, 0.25, 0.5))


class Net(nn.Module):
    """Convolution, depthwise, residual, ReLU6 and dropout, with over 256 KiB of int8 constants."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU6(),
            nn.Conv2d(16, 16, 3, stride=2, padding=1, groups=16, bias=False),
            nn.BatchNorm2d(16),
        )
        self.branch = nn.Sequential(nn.Conv2d(16, 16, 1, bias=False), nn.BatchNorm2d(16))
        self.wide = nn.Sequential(nn.Conv2d(16, 2048, 3, stride=2, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(2048, len(CLASSES)))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        logits: Tensor = self.head(self.wide(x + self.branch(x)).flatten(1))
        return logits


def images(n: int, seed: int) -> Samples:
    """Random images of very different contrast; the last ones are dark."""
    rng = np.random.default_rng(seed)
    contrast = np.linspace(1, 0.1, n)[:, None, None, None]
    pixels = (rng.integers(0, 256, (n, 16, 16, 3)) * contrast).astype(np.uint8)
    return Samples(pixels, rng.integers(0, len(CLASSES), n), tuple(f"{seed}/{i}" for i in range(n)), CLASSES)


def request_for(net: nn.Module, profile: Profile = "litert") -> Request:
    return Request(net, "small:s0", PREPROCESS, CLASSES, images(24, 0), images(16, 1), profile)

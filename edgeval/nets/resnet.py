"""ResNet-18 of any base width for small images: torchvision's blocks behind a 3x3 stem, no max-pool."""

from __future__ import annotations

from torch import Tensor, nn

from edgeval.nets.vision import import_torchvision


class ResNet18(nn.Module):
    """Four stages of two basic blocks with b, 2b, 4b and 8b channels; every stage after the first halves the image,
    and so does a stem of stride 2.

    Input (N, channels, height, width), output (N, outputs). Initialised as torchvision's. Parameters with c input
    channels and k outputs: 2724 b^2 + (150 + 9 c + 8 k) b + k. With b = 64 it is torchvision's but for the stem.
    """

    def __init__(self, width: int, outputs: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        import_torchvision()
        from torchvision.models.resnet import BasicBlock

        stem = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        layers: list[nn.Module] = [stem, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        before = width
        for stage in range(4):
            wide, step = width * 2**stage, 2 if stage else 1
            shortcut = nn.Sequential(nn.Conv2d(before, wide, 1, step, bias=False), nn.BatchNorm2d(wide))
            layers += [BasicBlock(before, wide, step, shortcut if stage else None), BasicBlock(wide, wide)]
            before = wide
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(before, outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        answers: Tensor = self.head(self.features(x))
        return answers

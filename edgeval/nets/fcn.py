"""FCN(w): the plain fully connected regressor of arXiv 2509.10000, three hidden layers of w neurons."""

from __future__ import annotations

from math import prod

from torch import Tensor, nn


class FCN(nn.Module):
    """Flatten, three hidden layers of `width` neurons with ReLU, one linear layer.

    Input (N, *shape), output (N, outputs). Parameters with n inputs and k outputs: 2 w^2 + (n + k + 3) w + k.
    """

    def __init__(self, width: int, outputs: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        for wide in (prod(shape), width, width):
            layers += [nn.Linear(wide, width), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Linear(width, outputs))

    def forward(self, x: Tensor) -> Tensor:
        answers: Tensor = self.layers(x)
        return answers

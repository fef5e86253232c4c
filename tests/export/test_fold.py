"""Batch norms folded into convolutions."""

from __future__ import annotations

import torch
from torch import nn

from edgeval.export.fold import fold_batch_norm
from tests.export.small_net import Net

IMAGES = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class Own(nn.Sequential):
    """A Sequential that does not run its parts one after another."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self[1](self[0](x) + 1)


def test_folded_networks_answer_the_same(net: Net) -> None:
    folded = fold_batch_norm(net)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in folded.modules())
    assert any(isinstance(part, nn.BatchNorm2d) for part in net.modules())
    torch.testing.assert_close(folded(IMAGES), net(IMAGES))


def test_other_orders_are_left_alone() -> None:
    for part in (Own(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3))):
        assert fold_batch_norm(part) is part
        assert not part.training

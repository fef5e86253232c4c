"""One small network, exported once for all tests of this wing."""

from __future__ import annotations

import pytest
import torch

from edgeval.export.convert import Request, export
from edgeval.records.artifact import FORMATS
from tests.export.small_net import Exported, Net, images, request_for


@pytest.fixture(scope="session")
def net() -> Net:
    """The network with batch norms that have seen images."""
    torch.manual_seed(0)
    net = Net()
    batch = torch.from_numpy(request_for(net).inputs(images(64, 2))).permute(0, 3, 1, 2)
    with torch.no_grad():
        for _ in range(20):
            net(batch)
    return net.eval()


@pytest.fixture(scope="session")
def request_(net: Net) -> Request:
    return request_for(net)


@pytest.fixture(scope="session")
def exported(request_: Request) -> Exported:
    """All formats of the small network."""
    return {fmt: export(request_, fmt) for fmt in FORMATS}

"""The regressors: parameters by formula, torchvision's ResNet-18 and torch's own attention with the same weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from edgeval import nets
from edgeval.nets.vit import Block

SHAPE = (2, 48, 48)
COUNTS = {  # with 2 x 48 x 48 inputs and 3 outputs
    "fcn": ((16, 128, 1024), lambda w: 2 * w**2 + 4614 * w + 3),
    "resnet": ((8, 16, 64), lambda b: 2724 * b**2 + 192 * b + 3),
    "vit": ((64, 128, 256), lambda d: 48 * d**2 + 222 * d + 3),
}


@pytest.mark.parametrize(("name", "width"), [(name, width) for name, (widths, _) in COUNTS.items() for width in widths])
def test_counts_and_shapes(name: str, width: int) -> None:
    net = nets.build(name, width, 3, 2).eval()
    assert nets.count_parameters(net) == COUNTS[name][1](width)
    if width == COUNTS[name][0][0]:
        assert net(torch.zeros(5, *SHAPE)).shape == (5, 3)


@pytest.mark.parametrize("stride", [1, 2])
def test_resnet_of_width_64_is_torchvisions_but_for_stem_and_pool(stride: int) -> None:
    from edgeval.nets.vision import import_torchvision

    import_torchvision()
    from torchvision.models import resnet18

    theirs, ours = resnet18(num_classes=3).eval(), nets.build("resnet", 64, 3, 2, stride=stride).eval()
    theirs.conv1, theirs.maxpool = nn.Conv2d(2, 64, 3, stride, padding=1, bias=False), nn.Identity()
    assert [tuple(w.shape) for w in theirs.state_dict().values()] == [
        tuple(w.shape) for w in ours.state_dict().values()
    ]
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    x = torch.randn(1, 2, 16, 16)
    with torch.no_grad():
        assert torch.allclose(ours(x), theirs(x), atol=1e-5)


def test_a_block_is_torchs_encoder_layer_written_out() -> None:
    torch.manual_seed(0)
    ours = Block(16).eval()
    theirs = nn.TransformerEncoderLayer(16, 4, 64, 0.0, "gelu", batch_first=True, norm_first=True).eval()
    theirs.self_attn.in_proj_weight.data, theirs.self_attn.in_proj_bias.data = ours.mixing.weight, ours.mixing.bias
    for one, two in (
        (theirs.self_attn.out_proj, ours.mixed),
        (theirs.linear1, ours.wide[0]),
        (theirs.linear2, ours.wide[2]),
    ):
        one.load_state_dict(two.state_dict())
    x = torch.randn(2, 5, 16)
    assert torch.allclose(ours(x), theirs(x), atol=1e-5)


def test_vit_refuses_images_that_its_patches_do_not_tile() -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        nets.build("vit", 64, 3, 2, size=(20, 24))

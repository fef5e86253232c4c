"""The networks are the paper's: parameter counts to the unit, and torchvision's arithmetic but for the stem."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from edgeval import nets
from edgeval.nets import rounding

# arXiv 2603.07365, table of results
SCALECNN = {4: 21_936, 8: 80_348, 12: 175_336, 16: 306_900, 24: 679_756, 32: 1_198_916, 48: 2_676_148, 64: 4_738_596}
MOBILENETV2 = {
    0.10: 214_180,
    0.15: 262_596,
    0.25: 366_212,
    0.35: 524_228,
    0.50: 815_780,
    0.75: 1_483_524,
    1.00: 2_351_972,
    1.50: 5_129_252,
    2.00: 8_953_188,
    3.00: 19_803_748,
}


@pytest.mark.parametrize(("width", "parameters"), SCALECNN.items())
def test_scalecnn_counts(width: int, parameters: int) -> None:
    assert (
        nets.count_parameters(nets.build("scalecnn", width, 100)) == parameters == 1143 * width**2 + 887 * width + 100
    )


@pytest.mark.parametrize(("width", "parameters"), MOBILENETV2.items())
def test_mobilenetv2_counts(width: float, parameters: int) -> None:
    assert nets.count_parameters(nets.build("mobilenetv2", width, 100)) == parameters


def test_scalecnn_is_the_papers_network_written_out_with_functions() -> None:
    torch.manual_seed(0)
    net = nets.build("scalecnn", 4, 10).eval()
    with torch.no_grad():
        for tensor in net.state_dict().values():
            if tensor.is_floating_point():
                tensor.uniform_(0.1, 1.0)
    weights, x = net.state_dict(), torch.randn(3, 3, 32, 32)
    expected, layer = x, 0
    for block in range(4):
        for _ in range(2):
            expected = torch.nn.functional.conv2d(expected, weights[f"features.{layer}.weight"], padding=1)
            stats = [weights[f"features.{layer + 1}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")]
            expected = torch.relu(torch.nn.functional.batch_norm(expected, *stats))
            layer += 3
        expected = torch.nn.functional.max_pool2d(expected, 2) if block < 3 else expected.mean((2, 3))
        layer += 1
    expected = expected @ weights["classifier.weight"].T + weights["classifier.bias"]
    assert torch.allclose(net(x), expected, rtol=1e-4)


def test_mobilenetv2_gives_torchvisions_logits_with_the_same_weights_but_for_the_stem() -> None:
    from edgeval.nets.vision import import_torchvision

    import_torchvision()
    from torchvision.models import mobilenet_v2

    torch.manual_seed(0)
    ours, theirs = nets.build("mobilenetv2", 0.25, 100).eval(), mobilenet_v2(num_classes=100, width_mult=0.25).eval()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, 32, 32)
    assert not torch.allclose(ours(x), theirs(x))
    theirs.features[0][0].stride = (1, 1)
    assert torch.equal(ours(x), theirs(x))
    assert ours.features[0](x).shape[-1] == 32
    assert ours.features(x).shape[-1] == 2


@pytest.mark.parametrize("factory", ["no.such.module:build", "math:no_such_name", "math:pi", "builtins:len"])
def test_a_factory_that_does_not_work_says_so(factory: str) -> None:
    with pytest.raises(ValueError, match=factory.replace(".", r"\.")):
        nets.from_factory(factory, 4)


@pytest.mark.parametrize("width", [0.05, 0.1, 0.11, 0.15, 0.25, 0.35, 0.5, 0.75, 0.9, 1.0, 1.3, 1.5, 2.0, 3.0])
def test_rounded_channels_are_those_of_the_network(width: float) -> None:
    norms = [m for m in nets.build("mobilenetv2", width, 10).modules() if isinstance(m, nn.BatchNorm2d)]
    stem, *stages, last = rounding.channels(width)
    assert (norms[0].num_features, norms[-1].num_features) == (stem, last)
    projections = [norms[2], *norms[5:-1:3]]  # every block ends in one; stages hold 1, 2, 3, 4, 3, 3, 1 blocks
    ends = [sum((1, 2, 3, 4, 3, 3, 1)[: k + 1]) - 1 for k in range(7)]
    assert [projections[end].num_features for end in ends] == stages

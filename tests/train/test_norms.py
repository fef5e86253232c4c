"""Batch norm with its activation in one layer: torch's own answers and gradients, by formulas and by kernels."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from edgeval import nets
from edgeval.train.norms import NormAct, Settings, _NormAct, backward, forward, fuse_norms

ACTIVATIONS = [(nn.ReLU(), (0.0, math.inf)), (nn.ReLU6(), (0.0, 6.0)), (nn.Identity(), (-math.inf, math.inf))]
SHAPES = [(4, 3, 5, 5), (2, 24, 3, 3), (3, 40, 7, 1)]


def case(shape: tuple[int, ...], dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """x, gradient, weight, bias, running mean, running variance."""
    generator = torch.Generator().manual_seed(1)
    x, grad = (torch.randn(shape, generator=generator, dtype=torch.float64) * 3 + 1 for _ in range(2))
    weight, bias, mean = (torch.randn(shape[1], generator=generator, dtype=torch.float64) + 1 for _ in range(3))
    return [each.to(dtype) for each in (x, grad, weight, bias, mean, mean.abs())]


@pytest.mark.parametrize(("act", "limits"), ACTIVATIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_formulas_are_torchs(shape: tuple[int, ...], act: nn.Module, limits: tuple[float, float]) -> None:
    x, grad, weight, bias, mean, variance = case(shape)
    leaves = [each.clone().requires_grad_() for each in (x, weight, bias)]
    theirs = [mean.clone(), variance.clone()]
    y = act(nn.functional.batch_norm(leaves[0], *theirs, *leaves[1:], training=True, momentum=0.1, eps=1e-5))
    expected = torch.autograd.grad(y, leaves, grad)
    settings = Settings(1e-5, 0.1, *limits)
    found, *saved = forward(x, weight, bias, mean, variance, settings)
    assert torch.allclose(found, y)
    assert torch.allclose(mean, theirs[0])
    assert torch.allclose(variance, theirs[1])
    for one, two in zip(backward(grad, x, weight, bias, *saved, settings), expected, strict=True):
        assert torch.allclose(one, two)


@pytest.mark.parametrize(("act", "limits"), ACTIVATIONS)
def test_gradients_are_the_derivatives(act: nn.Module, limits: tuple[float, float]) -> None:
    x, _, weight, bias, mean, variance = case((2, 3, 3, 2))
    leaves = [each.requires_grad_() for each in (x, weight, bias)]
    settings = Settings(1e-5, 0.1, *limits)
    assert torch.autograd.gradcheck(lambda *a: _NormAct.apply(*a, mean, variance, settings), leaves)


def test_a_value_that_is_no_number_is_seen_behind_the_activation() -> None:
    x, _, *rest = case((4, 3, 5, 5))
    x[0, 0, 0, 0] = math.nan
    assert forward(x, *rest, Settings(1e-5, 0.1, 0.0, math.inf))[0].isnan().any()


@pytest.mark.parametrize(("name", "width", "left"), [("scalecnn", 4, 8), ("mobilenetv2", 0.1, 52)])
def test_a_fused_network_trains_as_before_under_the_same_names(name: str, width: float, left: int) -> None:
    torch.manual_seed(0)
    plain = nets.build(name, width, 5).double()
    plain.apply(lambda module: setattr(module, "p", 0.0) if isinstance(module, nn.Dropout) else None)
    fused = fuse_norms(copy.deepcopy(plain))
    assert sum(isinstance(module, NormAct) for module in fused.modules()) == left
    assert not any(isinstance(module, nn.ReLU | nn.ReLU6) for module in fused.modules())
    images = torch.randn(8, 3, 32, 32, dtype=torch.float64)
    for net in (plain, fused):
        net.train()(images).square().sum().backward()
    for (key, one), (other, two) in zip(plain.named_parameters(), fused.named_parameters(), strict=True):
        assert key == other
        assert torch.allclose(one.grad, two.grad, rtol=1e-6, atol=1e-9 * float(one.grad.abs().max() + 1)), key
    for key, value in plain.state_dict().items():
        assert torch.allclose(value, fused.state_dict()[key]), key
    plain.load_state_dict(fused.state_dict())
    assert torch.allclose(plain.eval()(images), fused.eval()(images))

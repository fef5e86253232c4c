"""Batch norm and the activation behind it as one layer: fewer passes over memory, the weights' names unchanged."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

LIMITS = {nn.ReLU: (0.0, math.inf), nn.ReLU6: (0.0, 6.0)}
NONE = (-math.inf, math.inf)


class Settings(NamedTuple):
    """What a layer is set to: variance is kept from zero by eps; momentum of the running statistics; the clamp."""

    eps: float
    momentum: float
    low: float
    high: float


class NormAct(nn.BatchNorm2d):
    """nn.BatchNorm2d followed by a clamp to `limits`: (0, inf) is ReLU, (0, 6) ReLU6, (-inf, inf) no activation.

    `counts` is off where somebody else keeps `num_batches_tracked`: it takes a kernel a layer and step.
    """

    limits = NONE
    counts = True

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x).clamp(*self.limits)
        assert self.momentum is not None
        assert self.num_batches_tracked is not None
        if self.counts:
            self.num_batches_tracked.add_(1)
        settings = Settings(self.eps, self.momentum, *self.limits)
        answer: Tensor = _NormAct.apply(  # type: ignore[no-untyped-call]
            x, self.weight, self.bias, self.running_mean, self.running_var, settings
        )
        return answer


class _NormAct(torch.autograd.Function):
    """By the Triton kernels on a GPU, else by the formulas below, which say what the kernels compute."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, *rest: Any) -> Tensor:
        ahead, ctx.back = _rules(x)
        y: Tensor
        y, mean, inverse_std = ahead(x, weight, bias, *rest)
        ctx.settings = rest[-1]
        ctx.save_for_backward(x, weight, bias, mean, inverse_std)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return *ctx.back(grad, *ctx.saved_tensors, ctx.settings), None, None, None


def _rules(x: Tensor) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """How to go forward and back on this tensor's device."""
    if x.is_cuda and find_spec("triton"):
        from edgeval.train import norm_launch

        return norm_launch.forward, norm_launch.backward
    return forward, backward


def forward(
    x: Tensor, weight: Tensor, bias: Tensor, running_mean: Tensor, running_var: Tensor, settings: Settings
) -> tuple[Tensor, Tensor, Tensor]:
    """(N, C, H, W) normalised over its batch, scaled and clamped; the batch's mean and 1 / standard deviation.

    Running statistics are moved in place, the variance's by the unbiased one. Narrow inputs are computed in float32.
    """
    wide = x.to(_wide(x))
    mean, variance = wide.mean((0, 2, 3)), wide.var((0, 2, 3), unbiased=False)
    count = x.numel() // x.shape[1]
    running_mean.lerp_(mean.to(running_mean.dtype), settings.momentum)
    running_var.lerp_((variance * (count / max(1, count - 1))).to(running_var.dtype), settings.momentum)
    inverse_std = (variance + settings.eps).rsqrt()
    y = _scaled(wide, weight, bias, mean, inverse_std).clamp(settings.low, settings.high)
    return y.to(x.dtype), mean, inverse_std


def backward(
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    mean: Tensor,
    inverse_std: Tensor,
    settings: Settings,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, weight and bias: g passes where the clamp did not act; then

    d bias = sum g, d weight = sum g x', dx = weight / std (g - d bias / n - x' d weight / n), x' the normalised x.
    """
    wide = x.to(_wide(x))
    before = _scaled(wide, weight, bias, mean, inverse_std)
    g = torch.where((before <= settings.low) | (before >= settings.high), 0, grad.to(wide.dtype))
    normal = (wide - _column(mean)) * _column(inverse_std)
    d_bias, d_weight = g.sum((0, 2, 3)), (g * normal).sum((0, 2, 3))
    count = x.numel() // x.shape[1]
    dx = _column(weight * inverse_std) * (g - _column(d_bias / count) - normal * _column(d_weight / count))
    return dx.to(x.dtype), d_weight.to(weight.dtype), d_bias.to(bias.dtype)


def _wide(x: Tensor) -> torch.dtype:
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def _column(channels: Tensor) -> Tensor:
    """(C,) as (C, 1, 1)."""
    return channels[:, None, None]


def _scaled(x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, inverse_std: Tensor) -> Tensor:
    scale = weight * inverse_std
    return x * _column(scale) + _column(bias - mean * scale)


def fuse_norms(net: nn.Module) -> nn.Module:
    """Put a NormAct in the place of every nn.BatchNorm2d of a sequence, together with the activation behind it.

    The activation becomes nn.Identity, so that state dicts load both ways. Weights are those of `net`, which is changed
    and returned.
    """
    for sequence in [module for module in net.modules() if isinstance(module, nn.Sequential)]:
        for at, norm in enumerate(sequence):
            if type(norm) is not nn.BatchNorm2d or not norm.affine or norm.momentum is None:
                continue
            behind = sequence[at + 1] if at + 1 < len(sequence) else None
            sequence[at] = _joined(norm, LIMITS.get(type(behind), NONE))  # type: ignore[arg-type]
            if type(behind) in LIMITS:
                sequence[at + 1] = nn.Identity()
    return net


def _joined(norm: nn.BatchNorm2d, limits: tuple[float, float]) -> NormAct:
    """The same layer with its activation; it takes over the tensors themselves."""
    made = NormAct(norm.num_features, norm.eps, norm.momentum)
    made._parameters, made._buffers = norm._parameters, norm._buffers
    made.limits = limits
    return made.train(norm.training)

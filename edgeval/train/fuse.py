"""Several networks of one shape as one: grouped convolutions, wide batch norms, stacked linear layers."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from edgeval.errors import ModelError

# Layers that treat every channel by itself, so that they serve side-by-side networks as they are.
PER_CHANNEL = (
    nn.ReLU,
    nn.ReLU6,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.Dropout,
    nn.Identity,
    nn.Flatten,
)


class StackedLinear(nn.Module):
    """K linear layers side by side: (B, K x in) to (B, K x out)."""

    def __init__(self, count: int, like: nn.Linear) -> None:
        super().__init__()
        self.count = count
        self.weight = nn.Parameter(torch.empty(count, like.out_features, like.in_features))
        self.bias = nn.Parameter(torch.empty(count, like.out_features)) if like.bias is not None else None

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(len(x), self.count, -1).transpose(0, 1)
        found = torch.bmm(rows, self.weight.transpose(1, 2))
        found = found if self.bias is None else found + self.bias[:, None]
        return found.transpose(0, 1).reshape(len(x), -1)


def fuse(nets: Sequence[nn.Module]) -> nn.Module:
    """One network that runs all of them: input (B, K x channels, H, W), output (B, K x classes), weights copied.

    Each layer of the result holds the K layers side by side and mixes nothing, so that gradients of a sum of K losses
    are the K gradients. Raises ModelError for a layer that cannot be put side by side.
    """
    fused = copy.deepcopy(nets[0])
    for name, module in list(fused.named_modules()):
        if any(True for _ in module.children()):
            continue
        wide = _wide(module, len(nets))
        if wide is not module:
            fused.set_submodule(name, wide)
    load(fused, [net.state_dict() for net in nets])
    return fused


def _wide(module: nn.Module, count: int) -> nn.Module:
    """The layer that holds `count` layers like this one."""
    if isinstance(module, nn.Conv2d):
        return nn.Conv2d(
            module.in_channels * count,
            module.out_channels * count,
            module.kernel_size,  # type: ignore[arg-type]
            module.stride,  # type: ignore[arg-type]
            module.padding,  # type: ignore[arg-type]
            module.dilation,  # type: ignore[arg-type]
            module.groups * count,
            module.bias is not None,
        )
    if isinstance(module, nn.BatchNorm2d):
        return nn.BatchNorm2d(module.num_features * count, module.eps, module.momentum, module.affine)
    if isinstance(module, nn.Linear):
        return StackedLinear(count, module)
    if isinstance(module, PER_CHANNEL):
        return module
    raise ModelError("this layer cannot be trained side by side", seen=type(module).__name__)


def load(fused: nn.Module, states: Sequence[dict[str, Tensor]]) -> None:
    """Put K sets of weights into a fused network."""
    fused.load_state_dict({name: join(fused, name, [state[name] for state in states]) for name in states[0]})


def join(fused: nn.Module, name: str, tensors: Sequence[Tensor]) -> Tensor:
    """K tensors of one parameter or buffer as the fused network's."""
    if tensors[0].ndim == 0:  # batches seen: the same for all
        return tensors[0]
    return torch.stack(list(tensors)) if _is_stacked(fused, name) else torch.cat(list(tensors))


def split(fused: nn.Module, name: str, tensor: Tensor, count: int) -> list[Tensor]:
    """The fused network's tensor as those of its K networks."""
    if tensor.ndim == 0:
        return [tensor] * count
    return list(tensor.unbind() if _is_stacked(fused, name) else tensor.chunk(count))


def _is_stacked(fused: nn.Module, name: str) -> bool:
    return isinstance(fused.get_submodule(name.rpartition(".")[0]), StackedLinear)

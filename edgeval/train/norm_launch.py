"""Launch the Triton kernels of batch norm with its activation: what `norms.forward` and `backward` say, on a GPU."""

from __future__ import annotations

from typing import Any

import torch
import triton
from torch import Tensor

from edgeval.train import norm_kernels as kernels

Settings = tuple[float, float, float, float]  # eps, momentum, and the clamp's ends
SMALL = 4096  # rows that one program does alone: feature maps of 4x4 and 2x2 at batch 128
PROGRAMS = 528  # four a multiprocessor of an H100
PARTS = 128  # of the rows, at most
TILE = 4096  # elements that a program holds at once


def forward(
    x: Tensor, weight: Tensor, bias: Tensor, running_mean: Tensor, running_var: Tensor, settings: Settings
) -> tuple[Tensor, Tensor, Tensor]:
    """As `norms.forward`."""
    x = x.contiguous(memory_format=torch.channels_last)
    y = torch.empty_like(x)
    rows, channels = _matrix(x)
    running = (running_mean, running_var)
    eps, momentum, *limits = settings
    stats = torch.empty(2, channels, device=x.device, dtype=torch.float32)
    if rows <= SMALL:
        bc = _columns(channels, 16)
        blocks = triton.cdiv(channels, bc)
        kernels.whole[(blocks,)](x, y, weight, bias, stats, *running, rows, channels, *settings, BM=TILE // bc, BC=bc)
    else:
        bc = _columns(channels, 64)
        bm, blocks = TILE // bc, triton.cdiv(channels, bc)
        per, count = _split(rows, blocks, bm)
        parts = torch.empty(2, count, channels, device=x.device, dtype=torch.float32)
        kernels.parts[(count, blocks)](x, parts, rows, channels, per, BM=bm, BC=bc)
        few = _columns(channels, 16)
        grid = (triton.cdiv(channels, few),)
        kernels.finish[grid](
            parts, stats, *running, rows, channels, per, count, eps, momentum, BP=triton.next_power_of_2(count), BC=few
        )
        kernels.apply[(triton.cdiv(rows, bm), blocks)](x, y, weight, bias, stats, rows, channels, *limits, BM=bm, BC=bc)
    return y, stats[0], stats[1]


def backward(
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    mean: Tensor,
    inverse_std: Tensor,
    settings: Settings,
) -> tuple[Tensor, Tensor, Tensor]:
    """As `norms.backward`."""
    x = x.contiguous(memory_format=torch.channels_last)
    grad = grad.contiguous(memory_format=torch.channels_last)
    limits = settings[2:]
    dx = torch.empty_like(x)
    rows, channels = _matrix(x)
    sums = torch.empty(2, channels, device=x.device, dtype=torch.float32)
    known: tuple[Any, ...] = (weight, bias, mean, inverse_std)
    if rows <= SMALL:
        bc = _columns(channels, 16)
        blocks = triton.cdiv(channels, bc)
        kernels.whole_back[(blocks,)](x, grad, dx, *known, sums, rows, channels, *limits, BM=TILE // bc, BC=bc)
    else:
        bc = _columns(channels, 64)
        bm, blocks = TILE // bc, triton.cdiv(channels, bc)
        per, count = _split(rows, blocks, bm)
        parts = torch.empty(2, count, channels, device=x.device, dtype=torch.float32)
        kernels.parts_back[(count, blocks)](x, grad, *known, parts, rows, channels, per, *limits, BM=bm, BC=bc)
        few = _columns(channels, 16)
        grid = (triton.cdiv(channels, few),)
        kernels.finish_back[grid](parts, sums, channels, count, BP=triton.next_power_of_2(count), BC=few)
        grid2 = (triton.cdiv(rows, bm), blocks)
        kernels.apply_back[grid2](x, grad, dx, *known, sums, rows, channels, *limits, BM=bm, BC=bc)
    return dx, sums[0].to(weight.dtype), sums[1].to(bias.dtype)


def _matrix(x: Tensor) -> tuple[int, int]:
    """Rows and columns."""
    return x.numel() // x.shape[1], x.shape[1]


def _columns(channels: int, most: int) -> int:
    """How many columns a program takes: a power of two."""
    return min(most, int(triton.next_power_of_2(channels)))


def _split(rows: int, blocks: int, bm: int) -> tuple[int, int]:
    """Rows a part (whole tiles), and how many parts, so that there are programs enough to fill the GPU."""
    wanted = min(PARTS, max(1, PROGRAMS // blocks))
    per = triton.cdiv(triton.cdiv(rows, wanted), bm) * bm
    return per, triton.cdiv(rows, per)

"""A Triton kernel of the whole augmentation: one read and one write a pixel, as `Augmenter.images` says."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from edgeval.train.augment import HOLE, PAD, Augmenter

BLOCK = 1024


@triton.jit
def _images(
    padded,
    index,
    draws,
    mean,
    inverse_std,
    out,
    scale,
    total,
    count,
    H,
    W,
    C,
    CROP: tl.constexpr,
    FLIP: tl.constexpr,
    CUTOUT: tl.constexpr,
    PAD: tl.constexpr,
    HOLE: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Each program makes BLOCK values of (B, H, W, C)."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    valid = at < total
    channel, column, row, image = at % C, (at // C) % W, (at // (C * W)) % H, at // (C * W * H)
    source = tl.load(index + image, mask=valid, other=0).to(tl.int64)
    from_row, from_column = row + PAD, column + PAD
    if FLIP:
        flipped = tl.load(draws + 2 * count + image, mask=valid, other=1.0) < 0.5
        from_column = tl.where(flipped, W - 1 - column, column) + PAD
    if CROP:
        down = tl.load(draws + image, mask=valid, other=0.0)
        across = tl.load(draws + count + image, mask=valid, other=0.0)
        from_row += (down * (2 * PAD + 1)).to(tl.int32) - PAD
        from_column += (across * (2 * PAD + 1)).to(tl.int32) - PAD
    pixel = ((source * (H + 2 * PAD) + from_row) * (W + 2 * PAD) + from_column) * C + channel
    value = tl.load(padded + pixel, mask=valid, other=0).to(tl.float32)
    value = (value * scale - tl.load(mean + channel, mask=valid, other=0.0)) * tl.load(
        inverse_std + channel, mask=valid, other=0.0
    )
    if CUTOUT:
        y = (tl.load(draws + 3 * count + image, mask=valid, other=0.0) * H).to(tl.int32)
        x = (tl.load(draws + 4 * count + image, mask=valid, other=0.0) * W).to(tl.int32)
        inside = (row >= y - HOLE // 2) & (row < y + HOLE // 2)
        inside = inside & (column >= x - HOLE // 2) & (column < x + HOLE // 2)
        value = tl.where(inside, 0.0, value)
    tl.store(out + at, value.to(out.dtype.element_ty), mask=valid)


def images(data: Augmenter, index: Tensor, draws: Tensor, dtype: torch.dtype) -> Tensor:
    """Images at `index` as (B, C, H, W) of a dtype in channels-last memory; draws: (5, B), contiguous."""
    height, width = data.size
    channels, count = data.padded.shape[3], len(index)
    out = torch.empty(count, height, width, channels, device=data.padded.device, dtype=dtype)
    steps = {name.upper(): name in data.steps for name in ("crop", "flip", "cutout")}
    total = out.numel()
    mean, inverse_std = data.mean.expand(channels).contiguous(), data.inverse_std.expand(channels).contiguous()
    _images[(triton.cdiv(total, BLOCK),)](
        data.padded,
        index,
        draws,
        mean,
        inverse_std,
        out,
        data.scale,
        total,
        count,
        height,
        width,
        channels,
        **steps,
        PAD=PAD,
        HOLE=HOLE,
        BLOCK=BLOCK,
    )
    return out.permute(0, 3, 1, 2)

"""Triton kernels of batch norm with its activation, for channels-last tensors: what `norms.forward` and `backward` say.

A tensor (N, C, H, W) in channels-last memory is a matrix of M = N H W rows and C columns. Small ones are done by one
program for a few columns; others by three kernels: moments of parts of the rows, the parts put together, the rest.
Every sum has a fixed order, so that results repeat to the bit.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _moments(x, columns, begin, end, C, BM: tl.constexpr, BC: tl.constexpr):
    """Mean and sum of squared distances from it of rows begin..end, tile by tile (Chan's update)."""
    mean = tl.zeros((BC,), tl.float32)
    square = tl.zeros((BC,), tl.float32)
    for start in range(begin, end, BM):
        rows = start + tl.arange(0, BM)
        inside = (rows < end)[:, None] & (columns < C)[None, :]
        tile = tl.load(x + rows[:, None] * C + columns[None, :], mask=inside, other=0.0).to(tl.float32)
        before = (start - begin) * 1.0
        count = tl.minimum(end - start, BM) * 1.0
        here = tl.sum(tile, axis=0) / count
        apart = tl.where(inside, tile - here[None, :], 0.0)
        delta = here - mean
        square += tl.sum(apart * apart, axis=0) + delta * delta * (before * count / (before + count))
        mean += delta * (count / (before + count))
    return mean, square


@triton.jit
def _clamped(value, low, high):
    """The clamp; a value that is no number stays one, so that a diverged loss is seen."""
    return tl.where(value < low, low, tl.where(value > high, high, value))


@triton.jit
def _normalise(x, y, columns, begin, end, C, scale, shift, low, high, BM: tl.constexpr):
    for start in range(begin, end, BM):
        rows = start + tl.arange(0, BM)
        inside = (rows < end)[:, None] & (columns < C)[None, :]
        at = rows[:, None] * C + columns[None, :]
        tile = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
        value = _clamped(tile * scale[None, :] + shift[None, :], low, high)
        tl.store(y + at, value.to(y.dtype.element_ty), mask=inside)


@triton.jit
def _scale_and_shift(weight, bias, mean, inverse_std, columns, C):
    valid = columns < C
    scale = tl.load(weight + columns, mask=valid, other=0.0).to(tl.float32) * inverse_std
    return scale, tl.load(bias + columns, mask=valid, other=0.0).to(tl.float32) - mean * scale


@triton.jit
def _kept(mean, variance, stats, running_mean, running_var, columns, M, C, eps, momentum):
    """Write down the statistics, and move the running ones; gives 1 / standard deviation."""
    valid = columns < C
    inverse_std = 1.0 / tl.sqrt(variance + eps)
    tl.store(stats + columns, mean, mask=valid)
    tl.store(stats + C + columns, inverse_std, mask=valid)
    unbiased = variance * (M / tl.maximum(M - 1, 1))
    old_mean = tl.load(running_mean + columns, mask=valid, other=0.0)
    old_var = tl.load(running_var + columns, mask=valid, other=0.0)
    tl.store(running_mean + columns, old_mean + momentum * (mean - old_mean), mask=valid)
    tl.store(running_var + columns, old_var + momentum * (unbiased - old_var), mask=valid)
    return inverse_std


@triton.jit
def whole(
    x,
    y,
    weight,
    bias,
    stats,
    running_mean,
    running_var,
    M,
    C,
    eps,
    momentum,
    low,
    high,
    BM: tl.constexpr,
    BC: tl.constexpr,
):
    """Moments and the rest for BC columns of all rows."""
    columns = tl.program_id(0) * BC + tl.arange(0, BC)
    mean, square = _moments(x, columns, 0, M, C, BM, BC)
    inverse_std = _kept(mean, square / M, stats, running_mean, running_var, columns, M, C, eps, momentum)
    scale, shift = _scale_and_shift(weight, bias, mean, inverse_std, columns, C)
    _normalise(x, y, columns, 0, M, C, scale, shift, low, high, BM)


@triton.jit
def parts(x, parts, M, C, per, BM: tl.constexpr, BC: tl.constexpr):
    """Moments of one part of the rows, to parts[0 or 1, part, column]."""
    part = tl.program_id(0)
    columns = tl.program_id(1) * BC + tl.arange(0, BC)
    begin = part * per
    mean, square = _moments(x, columns, begin, tl.minimum(begin + per, M), C, BM, BC)
    count = tl.num_programs(0)
    tl.store(parts + part * C + columns, mean, mask=columns < C)
    tl.store(parts + (count + part) * C + columns, square, mask=columns < C)


@triton.jit
def finish(
    parts, stats, running_mean, running_var, M, C, per, count, eps, momentum, BP: tl.constexpr, BC: tl.constexpr
):
    """Statistics of all rows from those of the parts."""
    columns = tl.program_id(0) * BC + tl.arange(0, BC)
    part = tl.arange(0, BP)
    inside = (part < count)[:, None] & (columns < C)[None, :]
    at = part[:, None] * C + columns[None, :]
    means = tl.load(parts + at, mask=inside, other=0.0)
    squares = tl.load(parts + count * C + at, mask=inside, other=0.0)
    rows = tl.where(part < count, tl.minimum(M - part * per, per), 0) * 1.0
    mean = tl.sum(means * rows[:, None], axis=0) / M
    delta = means - mean[None, :]
    variance = (tl.sum(squares, axis=0) + tl.sum(delta * delta * rows[:, None], axis=0)) / M
    _kept(mean, variance, stats, running_mean, running_var, columns, M, C, eps, momentum)


@triton.jit
def apply(x, y, weight, bias, stats, M, C, low, high, BM: tl.constexpr, BC: tl.constexpr):
    """Normalise and clamp one tile."""
    begin = tl.program_id(0) * BM
    columns = tl.program_id(1) * BC + tl.arange(0, BC)
    mean = tl.load(stats + columns, mask=columns < C, other=0.0)
    inverse_std = tl.load(stats + C + columns, mask=columns < C, other=0.0)
    scale, shift = _scale_and_shift(weight, bias, mean, inverse_std, columns, C)
    _normalise(x, y, columns, begin, tl.minimum(begin + BM, M), C, scale, shift, low, high, BM)


@triton.jit
def _passed(x, grad, at, inside, scale, shift, low, high):
    """A tile of x, and of the gradient where the clamp did not act."""
    tile = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
    g = tl.load(grad + at, mask=inside, other=0.0).to(tl.float32)
    before = tile * scale[None, :] + shift[None, :]
    return tile, tl.where((before <= low) | (before >= high), 0.0, g)


@triton.jit
def _sums(
    x, grad, columns, begin, end, C, mean, inverse_std, scale, shift, low, high, BM: tl.constexpr, BC: tl.constexpr
):
    """Sum of g and of g times the normalised x over rows begin..end."""
    d_bias = tl.zeros((BC,), tl.float32)
    d_weight = tl.zeros((BC,), tl.float32)
    for start in range(begin, end, BM):
        rows = start + tl.arange(0, BM)
        inside = (rows < end)[:, None] & (columns < C)[None, :]
        tile, g = _passed(x, grad, rows[:, None] * C + columns[None, :], inside, scale, shift, low, high)
        d_bias += tl.sum(g, axis=0)
        d_weight += tl.sum(g * (tile - mean[None, :]), axis=0)
    return d_bias, d_weight * inverse_std


@triton.jit
def _gradient(
    x,
    grad,
    dx,
    columns,
    begin,
    end,
    M,
    C,
    mean,
    inverse_std,
    scale,
    shift,
    d_weight,
    d_bias,
    low,
    high,
    BM: tl.constexpr,
):
    for start in range(begin, end, BM):
        rows = start + tl.arange(0, BM)
        inside = (rows < end)[:, None] & (columns < C)[None, :]
        at = rows[:, None] * C + columns[None, :]
        tile, g = _passed(x, grad, at, inside, scale, shift, low, high)
        normal = (tile - mean[None, :]) * inverse_std[None, :]
        value = scale[None, :] * (g - (d_bias / M)[None, :] - normal * (d_weight / M)[None, :])
        tl.store(dx + at, value.to(dx.dtype.element_ty), mask=inside)


@triton.jit
def whole_back(x, grad, dx, weight, bias, mean_in, std_in, d_out, M, C, low, high, BM: tl.constexpr, BC: tl.constexpr):
    """Sums and the gradient for BC columns of all rows."""
    columns = tl.program_id(0) * BC + tl.arange(0, BC)
    mean = tl.load(mean_in + columns, mask=columns < C, other=0.0)
    inverse_std = tl.load(std_in + columns, mask=columns < C, other=0.0)
    scale, shift = _scale_and_shift(weight, bias, mean, inverse_std, columns, C)
    d_bias, d_weight = _sums(x, grad, columns, 0, M, C, mean, inverse_std, scale, shift, low, high, BM, BC)
    tl.store(d_out + columns, d_weight, mask=columns < C)
    tl.store(d_out + C + columns, d_bias, mask=columns < C)
    _gradient(x, grad, dx, columns, 0, M, M, C, mean, inverse_std, scale, shift, d_weight, d_bias, low, high, BM)


@triton.jit
def parts_back(x, grad, weight, bias, mean_in, std_in, parts, M, C, per, low, high, BM: tl.constexpr, BC: tl.constexpr):
    """Sums over one part of the rows, to parts[0 or 1, part, column]."""
    part = tl.program_id(0)
    columns = tl.program_id(1) * BC + tl.arange(0, BC)
    mean = tl.load(mean_in + columns, mask=columns < C, other=0.0)
    inverse_std = tl.load(std_in + columns, mask=columns < C, other=0.0)
    scale, shift = _scale_and_shift(weight, bias, mean, inverse_std, columns, C)
    begin = part * per
    end = tl.minimum(begin + per, M)
    d_bias, d_weight = _sums(x, grad, columns, begin, end, C, mean, inverse_std, scale, shift, low, high, BM, BC)
    count = tl.num_programs(0)
    tl.store(parts + part * C + columns, d_weight, mask=columns < C)
    tl.store(parts + (count + part) * C + columns, d_bias, mask=columns < C)


@triton.jit
def finish_back(parts, d_out, C, count, BP: tl.constexpr, BC: tl.constexpr):
    """Sums over all rows from those over the parts."""
    columns = tl.program_id(0) * BC + tl.arange(0, BC)
    part = tl.arange(0, BP)
    inside = (part < count)[:, None] & (columns < C)[None, :]
    at = part[:, None] * C + columns[None, :]
    d_weight = tl.sum(tl.load(parts + at, mask=inside, other=0.0), axis=0)
    d_bias = tl.sum(tl.load(parts + count * C + at, mask=inside, other=0.0), axis=0)
    tl.store(d_out + columns, d_weight, mask=columns < C)
    tl.store(d_out + C + columns, d_bias, mask=columns < C)


@triton.jit
def apply_back(x, grad, dx, weight, bias, mean_in, std_in, d_in, M, C, low, high, BM: tl.constexpr, BC: tl.constexpr):
    """The gradient of one tile."""
    begin = tl.program_id(0) * BM
    columns = tl.program_id(1) * BC + tl.arange(0, BC)
    mean = tl.load(mean_in + columns, mask=columns < C, other=0.0)
    inverse_std = tl.load(std_in + columns, mask=columns < C, other=0.0)
    scale, shift = _scale_and_shift(weight, bias, mean, inverse_std, columns, C)
    d_weight = tl.load(d_in + columns, mask=columns < C, other=0.0)
    d_bias = tl.load(d_in + C + columns, mask=columns < C, other=0.0)
    end = tl.minimum(begin + BM, M)
    _gradient(x, grad, dx, columns, begin, end, M, C, mean, inverse_std, scale, shift, d_weight, d_bias, low, high, BM)

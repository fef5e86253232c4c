"""How far classes truly differ: class tables with the part of their spread taken out that chance alone explains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def shrunk_shares(counts: Ints) -> Floats:
    """(K, J) cell shares of classes, pulled towards their mean until they spread as the true shares do.

    counts: (..., K, J) samples of each class in each cell, no class empty, of the same sizes throughout. Observed
    shares vary by V = T + S: T is the true spread of classes, S what sampling adds. Method of moments: T = V - mean S,
    made non-negative; each class is moved by the optimal transport map from N(0, T + S_k) to N(0, T), so that the moved
    shares have covariance T, but by no more than one standard error, so that a class far off stays far off. One sample
    more in each cell of all classes together keeps a cell that was never seen possible.
    """
    sizes = counts.sum(axis=-1)
    shares = counts / sizes[..., None]
    if counts.shape[-2] < 3:
        return _possible(shares, sizes)
    free = shares[..., :-1]
    centre = free.mean(axis=-2, keepdims=True)
    noise = _sampling(free, sizes)
    off = free - centre
    observed = np.einsum("...ki,...kj->...ij", off, off) / (off.shape[-2] - 1)
    true = _positive(observed - (noise / sizes[..., None, None]).mean(axis=-3))[..., None, :, :]
    one = noise.mean(axis=-3, keepdims=True)
    pooled = one / sizes[..., None, None]
    different, which = np.unique(sizes, return_inverse=True)
    maps = _transport(true + one / different[:, None, None], true)[..., which.reshape(-1)[-sizes.shape[-1] :], :, :]
    moved = np.einsum("...kij,...kj->...ki", maps, off) + centre
    step = np.sqrt(np.maximum(np.diagonal(pooled, axis1=-2, axis2=-1), 0.0))
    moved = np.clip(moved, free - step, free + step)
    full = np.concatenate([moved, 1 - moved.sum(axis=-1, keepdims=True)], axis=-1)
    return _possible(np.maximum(full, 0.0), sizes)


def _possible(shares: Floats, sizes: Ints) -> Floats:
    """Shares that sum to 1, with one sample more in each cell, spread over all classes."""
    shares = shares / shares.sum(axis=-1, keepdims=True)
    extra = sizes / sizes.sum(axis=-1, keepdims=True)
    more = shares * sizes[..., None] + extra[..., None]
    found: Floats = more / (sizes + shares.shape[-1] * extra)[..., None]
    return found


def _sampling(free: Floats, sizes: Ints) -> Floats:
    """(..., K, J - 1, J - 1) covariance of one sample's cell within each class, unbiased for two samples or more."""
    one = free[..., :, None] * np.eye(free.shape[-1]) - free[..., :, None] * free[..., None, :]
    found: Floats = one * (sizes / np.maximum(sizes - 1, 1))[..., None, None]
    return found


def _positive(matrix: Floats) -> Floats:
    """The nearest positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    found: Floats = (vectors * np.maximum(values, 0.0)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return found


def _root(matrices: Floats, power: float) -> Floats:
    """A power of symmetric positive semidefinite matrices (..., J, J); null directions stay null."""
    values, vectors = np.linalg.eigh(matrices)
    kept = values > 1e-12
    scaled = np.where(kept, np.where(kept, values, 1.0) ** power, 0.0)
    found: Floats = (vectors * scaled[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return found


def _transport(source: Floats, target: Floats) -> Floats:
    """The symmetric linear map that takes N(0, source) to N(0, target): A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2."""
    half, inverse = _root(source, 0.5), _root(source, -0.5)
    found: Floats = inverse @ _root(half @ target @ half, 0.5) @ inverse
    return found

"""What a regressor is set beside: the mean of the training targets, and kernel ridge regression on the same images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the kernel, times the median distance of the training images
RIDGES = (1e-9, 1e-7, 1e-5, 1e-3, 1e-1)


@dataclass(frozen=True)
class Ridge:
    """Answers of kernel ridge regression (N, K), with the width and the ridge picked for each output."""

    answers: Floats
    widths: tuple[float, ...]
    ridges: tuple[float, ...]


def mean_predictor(targets: Floats, count: int) -> Floats:
    """(count, K) the mean of the training targets, for every sample."""
    return np.tile(targets.mean(axis=0), (count, 1))


def shrunk(images: NDArray[np.generic], size: int = 12) -> Floats:
    """(N, features) images (N, H, W, C) as means over blocks of pixels, at most about size x size blocks."""
    step = max(1, images.shape[1] // size), max(1, images.shape[2] // size)
    height, width = images.shape[1] // step[0] * step[0], images.shape[2] // step[1] * step[1]
    cut = images[:, :height, :width].astype(np.float64)
    blocks = cut.reshape(len(cut), height // step[0], step[0], width // step[1], step[1], -1).mean(axis=(2, 4))
    return np.asarray(blocks.reshape(len(cut), -1))


def kernel_ridge(
    train: tuple[Floats, Floats],
    validation: tuple[Floats, Floats],
    asked: Floats,
    *,
    widths: Sequence[float] = WIDTHS,
    ridges: Sequence[float] = RIDGES,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Ridge:
    """Kernel ridge regression with k(a, b) = exp(-|a - b|^2 / (2 w^2)); each is (features (N, F), targets (N, K)).

    answers = mean + k(asked, train) (k(train, train) + ridge I)^-1 (targets - mean). Width and ridge of each output are
    those with the lowest mean squared error on `validation`; `asked` decides nothing. A ridge that leaves the matrix
    without a Cholesky factor is passed over.
    """
    x, y = train
    mean, inner = y.mean(axis=0), _squares(x, x)
    pairs = inner[np.triu_indices(len(x), 1)]
    median = (float(np.sqrt(np.median(pairs))) if len(pairs) else 0.0) or 1.0
    best, found = np.full(y.shape[1], np.inf), np.tile(mean, (len(asked), 1))
    picked = np.zeros((2, y.shape[1]))
    across, onward = _squares(validation[0], x), _squares(asked, x)
    tries = [(factor * median, ridge) for factor in widths for ridge in ridges]
    for done, (width, ridge) in enumerate(tries):
        weights = _weights(np.exp(-inner / (2 * width**2)), y - mean, ridge)
        if weights is None:
            continue
        errors = ((mean + np.exp(-across / (2 * width**2)) @ weights - validation[1]) ** 2).mean(axis=0)
        better = errors < best
        if better.any():
            best[better], picked[:, better] = errors[better], np.array([[width], [ridge]])
            found[:, better] = (mean + np.exp(-onward / (2 * width**2)) @ weights)[:, better]
        progress(done + 1, len(tries))
    return Ridge(found, tuple(picked[0].tolist()), tuple(picked[1].tolist()))


def _weights(kernel: Floats, targets: Floats, ridge: float) -> Floats | None:
    """(N, K) solution of (kernel + ridge I) weights = targets; kernel (N, N) is overwritten."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    kernel[np.diag_indices(len(kernel))] += ridge
    try:
        return np.asarray(cho_solve(cho_factor(kernel, overwrite_a=True), targets))
    except LinAlgError:
        return None


def _squares(one: Floats, two: Floats) -> Floats:
    """(N, M) squared distances between rows."""
    square = (one**2).sum(axis=1)[:, None] + (two**2).sum(axis=1)[None, :] - 2 * one @ two.T
    return np.asarray(np.maximum(square, 0))

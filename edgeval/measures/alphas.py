"""Whether the exponent of a law changed between two answers of the same networks to the same images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
RESAMPLES = 2_000
BLOCK = 100  # resamples whose weights are held at once


@dataclass(frozen=True)
class Change:
    """alpha after less alpha before, with the standard deviation and the 95% percentile interval of its resamples.

    over_seeds: whether the seeds were drawn anew too; with one seed a size only the images are.
    """

    value: float
    sd: float
    ci95: tuple[float, float]
    resamples: int
    over_seeds: bool


def alpha_change(
    sizes: Floats, before: Sequence[Bools], after: Sequence[Bools], *, resamples: int = RESAMPLES, seed: int = 0
) -> Change:
    """The change of alpha, paired by image and by seed.

    before[i], after[i]: (seeds of size i, images), whether wrong; the same seeds in the same order, the same images
    everywhere. Each resample draws the images anew, the same ones for every network on both sides, and within each size
    the seeds, the same ones on both sides (where every size has two). An error of none counts as half an image.
    """
    rng, counts = np.random.default_rng(seed), [len(rows) for rows in before]
    wrong = np.concatenate([*before, *after]).astype(np.float32)
    shares = np.concatenate([_drawn(wrong, min(BLOCK, resamples - k), rng) for k in range(0, resamples, BLOCK)])
    over_seeds = min(counts) > 1
    picks = [
        rng.integers(0, k, (resamples, k)) if over_seeds else np.tile(np.arange(k), (resamples, 1)) for k in counts
    ]
    observed = wrong.mean(axis=1, dtype=np.float64)[None, :]
    least = 0.5 / wrong.shape[1]
    plain = [np.arange(k)[None, :] for k in counts]
    value = float(_change(sizes, np.maximum(observed, least), plain)[0])
    changes = _change(sizes, np.maximum(shares, least), picks)
    low, high = np.percentile(changes, [2.5, 97.5])
    return Change(value, float(changes.std(ddof=1)), (float(low), float(high)), resamples, over_seeds)


def _drawn(wrong: NDArray[np.float32], rows: int, rng: np.random.Generator) -> Floats:
    """(rows, networks) errors on images drawn anew, the same images for every network."""
    n = wrong.shape[1]
    images = rng.integers(0, n, (rows, n)) + n * np.arange(rows)[:, None]
    weights = np.bincount(images.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float32)
    found: Floats = np.asarray(weights @ wrong.T, np.float64) / n
    return found


def _change(sizes: Floats, errors: Floats, picks: Sequence[NDArray[np.integer]]) -> Floats:
    """(rows,) alpha of the second half of the columns less alpha of the first, over mean errors of the picked seeds."""
    half, start = errors.shape[1] // 2, 0
    x = np.log(sizes) - np.log(sizes).mean()
    change: Floats = np.zeros(len(errors))
    for place, pick in zip(x / (x @ x), picks, strict=True):
        one, two = (np.take_along_axis(errors, start + shift + pick, axis=1).mean(axis=1) for shift in (0, half))
        change = change - float(place) * (np.log(two) - np.log(one))
        start += pick.shape[1]
    return np.asarray(change)

"""Augmentation against the same operations done one image at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edgeval.records.artifact import Preprocess
from edgeval.train.augment import augmenter, normalise

PLAIN = Preprocess(scale=1.0)
IMAGES = torch.from_numpy(np.random.default_rng(0).integers(1, 256, (64, 32, 32, 3), dtype=np.uint8))


def drawn(steps: tuple[str, ...], preprocess: Preprocess = PLAIN, seed: int = 0) -> np.ndarray:
    generator = torch.Generator().manual_seed(seed)
    batch = augmenter(IMAGES, preprocess, steps).batch(torch.arange(64), generator)
    return batch.permute(0, 2, 3, 1).numpy()


def test_without_steps_it_is_plain_normalisation_in_channels_last_memory() -> None:
    made = Preprocess(scale=1 / 255, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    batch = augmenter(IMAGES, made, ()).batch(torch.arange(64), torch.Generator())
    assert torch.allclose(batch, normalise(IMAGES, made), atol=1e-6)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    expected = (IMAGES.numpy() / 255 - made.mean) / made.std
    assert batch.permute(0, 2, 3, 1).numpy() == pytest.approx(expected, abs=1e-5)


def test_flip_turns_about_half_of_the_images_and_nothing_else() -> None:
    found, plain = drawn(("flip",)), IMAGES.numpy().astype(np.float32)
    same = (found == plain).all(axis=(1, 2, 3))
    turned = (found == plain[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (same ^ turned).all()
    assert 16 < turned.sum() < 48


def test_crop_is_a_window_of_the_padded_image() -> None:
    padded = np.pad(IMAGES.numpy(), ((0, 0), (4, 4), (4, 4), (0, 0))).astype(np.float32)
    shifts = set()
    for image, around in zip(drawn(("crop",)), padded, strict=True):
        at = [(y, x) for y in range(9) for x in range(9) if (around[y : y + 32, x : x + 32] == image).all()]
        assert len(at) == 1
        shifts.add(at[0])
    assert len(shifts) > 30
    assert {y for y, _ in shifts} == set(range(9))


def test_cutout_blanks_one_square_of_eight_clipped_at_the_border() -> None:
    holes = (drawn(("cutout",)) == 0).all(axis=3)
    sizes = set()
    for hole in holes:
        rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
        assert hole.sum() == len(rows) * len(columns)
        sizes.add((len(rows), len(columns)))
    assert (8, 8) in sizes
    assert max(max(size) for size in sizes) == 8
    assert min(min(size) for size in sizes) >= 4


def test_the_hole_is_the_mean_not_black() -> None:
    made = Preprocess(scale=1.0, mean=(100.0,), std=(50.0,))
    assert (drawn(("cutout",), made) == 0).all(axis=3).any()
    assert drawn(("crop",), made).min() == pytest.approx(-2.0)


def test_the_same_seed_draws_the_same_batch() -> None:
    steps = ("crop", "flip", "cutout")
    assert (drawn(steps) == drawn(steps)).all()
    assert (drawn(steps) != drawn(steps, seed=1)).any()

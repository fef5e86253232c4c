"""Drawing in whole numbers: the draws are pinned, interpolation agrees with NumPy's."""

from __future__ import annotations

import numpy as np

from edgeval.tasks.scene import INK_FULL, SIDE, UNIT, Draws, backdrop, between, compose, ink, strike


def test_draws_are_pinned() -> None:
    assert Draws(1, 2).within(0, 999, 6).tolist() == [448, 430, 419, 277, 821, 49]
    assert Draws(1, 2).order(8).tolist() == [5, 6, 3, 2, 1, 0, 4, 7]
    assert Draws(1, 2).noise(4).tolist() == [11, 102, -31, 50]


def test_draws_fill_their_range_evenly() -> None:
    numbers = Draws(3).within(-4, 5, 100, 200)
    counts = np.bincount((numbers + 4).ravel(), minlength=10)
    assert numbers.shape == (100, 200)
    assert counts.size == 10
    assert abs(counts - 2_000).max() < 200


def test_an_order_holds_every_position_once() -> None:
    assert sorted(Draws(4).order(50).tolist()) == list(range(50))


def test_noise_is_centred_and_triangular() -> None:
    noise = Draws(5).noise(200, 200)
    assert abs(noise.mean()) < 2
    assert abs(noise.std() - 255 / 6**0.5) < 2


def test_interpolation_agrees_with_numpy() -> None:
    cells = Draws(6).within(0, 16, 3, 5, 11)
    offset = Draws(7).within(-6 * UNIT, 6 * UNIT, 3, 5, 40)
    drawn = between(cells, offset) / UNIT
    for at in np.ndindex(3, 5):
        place = np.clip(offset[at] / UNIT + 4.5, 0, 9)
        assert np.allclose(drawn[at], np.interp(place, np.arange(11), cells[at]), atol=16 / UNIT)


def test_a_digit_stays_in_its_half_and_within_full_ink() -> None:
    solid = np.full((200, 8, 8), 16, dtype=np.uint8)
    drawn = ink(solid, 9, Draws(8))
    assert drawn.shape == (200, SIDE, SIDE)
    assert drawn.min() == 0
    assert drawn.max() == INK_FULL
    assert (drawn[:, :, 24:] == 0).all()
    assert (drawn.max(axis=(1, 2)) == INK_FULL).all()


def test_strokes_touch_about_two_images_in_three() -> None:
    image = np.full((600, 3, SIDE, SIDE), -1000, dtype=np.int32)
    strike(image, Draws(9))
    share = (image[:, 0] != -1000).mean(axis=(1, 2))
    assert 0.55 < (share > 0).mean() < 0.75
    assert share.max() < 0.12


def test_a_backdrop_changes_evenly() -> None:
    image = backdrop(np.full((20, 1), 128, dtype=np.int32), Draws(10))
    assert image.shape == (20, 3, SIDE, SIDE)
    assert (np.diff(image, n=2, axis=2) == 0).all()
    assert (np.diff(image, n=2, axis=3) == 0).all()


def test_composites_show_their_digits() -> None:
    blank, solid = np.zeros((40, 8, 8), dtype=np.uint8), np.full((40, 8, 8), 16, dtype=np.uint8)
    difference = np.abs(compose(solid, blank, Draws(11)).astype(int) - compose(blank, blank, Draws(11)))
    assert difference[:, :, :16].mean() > 20
    assert difference[:, :, 24:].mean() == 0

"""Image files as arrays: grey or colour, upright, without alpha, of one size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeval.errors import DataError
from edgeval.tasks import pictures

RNG = np.random.default_rng(1)
COLOUR = RNG.integers(0, 256, (6, 4, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (6, 4), dtype=np.uint8)
# How a camera that was held in each orientation stores COLOUR.
STORED = {
    2: np.fliplr(COLOUR),
    3: np.rot90(COLOUR, 2),
    4: np.flipud(COLOUR),
    5: COLOUR.transpose(1, 0, 2),
    6: np.rot90(COLOUR, 1),
    7: np.rot90(COLOUR, 2).transpose(1, 0, 2),
    8: np.rot90(COLOUR, 3),
}


def read(*paths: Path, size: tuple[int, int] | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read without a word on progress."""
    return pictures.read_pictures(paths, size=size, progress=lambda done, total: None)


def save(path: Path, image: Image.Image | np.ndarray, **how: object) -> Path:
    """Write an image file."""
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(path, **how)
    return path


@pytest.mark.parametrize("suffix", sorted(pictures.SUFFIXES - {".pbm", ".pgm"}))
def test_every_suffix_can_be_read(tmp_path: Path, suffix: str) -> None:
    flat = np.full((6, 4, 3), 200, np.uint8)
    pixels, notes = read(save(tmp_path / f"a{suffix}", flat))
    assert pixels.shape == (1, 6, 4, 3)
    assert abs(pixels.astype(int) - 200).max() <= 3
    assert notes == ()


def test_only_grey_files_give_one_channel(tmp_path: Path) -> None:
    grey, colour = save(tmp_path / "grey.png", GREY), save(tmp_path / "colour.png", COLOUR)
    assert (read(grey, grey)[0][0, :, :, 0] == GREY).all()
    both = read(grey, colour)[0]
    assert both.shape == (2, 6, 4, 3)
    assert (both[0] == GREY[..., None]).all()


def test_alpha_is_dropped(tmp_path: Path) -> None:
    clear = save(tmp_path / "clear.png", np.concatenate([COLOUR, GREY[..., None]], axis=2))
    pale = save(tmp_path / "pale.png", Image.merge("LA", [Image.fromarray(GREY)] * 2))
    assert (read(clear)[0][0] == COLOUR).all()
    assert (read(pale)[0][0, :, :, 0] == GREY).all()


def test_palettes_and_bits_become_pixels(tmp_path: Path) -> None:
    palette = save(tmp_path / "p.png", Image.fromarray(COLOUR).quantize(64), transparency=bytes(range(64)))
    bits = save(tmp_path / "b.png", Image.fromarray(GREY).convert("1"))
    ink = save(tmp_path / "c.jpg", Image.fromarray(COLOUR).convert("CMYK"), quality=100)
    assert (read(palette)[0][0] == COLOUR).all()
    assert set(np.unique(read(bits)[0])) == {0, 255}
    assert read(ink)[0].shape == (1, 6, 4, 3)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, suffix: str) -> None:
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = orientation
    stored = np.ascontiguousarray(STORED[orientation])
    how = {"lossless": True} if suffix == "webp" else {}
    path = save(tmp_path / f"a.{suffix}", stored, exif=exif.tobytes(), **how)
    pixels, notes = read(path)
    assert (pixels[0] == COLOUR).all()
    assert notes == ()


def test_a_size_mends_different_sizes(tmp_path: Path) -> None:
    small, large = save(tmp_path / "s.png", COLOUR), save(tmp_path / "l.png", np.full((60, 40, 3), 9, np.uint8))
    with pytest.raises(DataError) as caught:
        read(small, large)
    for word in ("s.png is 6x4", "l.png is 60x40", "--size 6x4"):
        assert word in str(caught.value)
    pixels, notes = read(small, large, size=(6, 4))
    assert (pixels[0] == COLOUR).all()
    assert (pixels[1] == 9).all()
    assert notes == ("1 of 2 images resized to 6x4 (bilinear)",)


def test_more_than_fits_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.png", COLOUR)
    monkeypatch.setattr(pictures, "LIMIT", 100)
    assert len(read(path)[0]) == 1
    with pytest.raises(DataError, match="do not fit"):
        read(path, path)
    with pytest.raises(DataError, match="do not fit"):
        pictures.resize_arrays(COLOUR[None], (10**9, 10**9))


@pytest.mark.parametrize("limit", [20, 10], ids=["warning", "error"])
def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    path = save(tmp_path / "bomb.png", COLOUR)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(DataError, match=r"bomb\.png unpacks"):
        read(path)


def refusal(path: Path) -> bool:
    """Whether the file is refused, by an error that names it."""
    try:
        read(path)
    except DataError as error:
        return path.name in str(error)
    return False


@pytest.mark.parametrize("kind", ["png", "jpg", "gif", "bmp", "webp", "tif", "ppm"])
def test_damaged_files_are_named_and_never_crash(tmp_path: Path, kind: str) -> None:
    whole = save(tmp_path / f"whole.{kind}", COLOUR).read_bytes()
    broken, refused = tmp_path / f"broken.{kind}", 0
    for keep in range(0, len(whole), max(1, len(whole) // 40)):
        broken.write_bytes(whole[:keep])
        refused += refusal(broken)
    assert refused >= 10

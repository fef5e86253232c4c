"""CIFAR-100 from a table, from the official archive, from a server, and from damaged files."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeval.errors import DataError
from edgeval.tasks import cifar100, download

COUNTS = {"train": 200, "test": 100}
NAMES = [f"thing_{at:02d}" for at in range(100)]
SHARED = Path(os.environ.get("EDGEVAL_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "data"
TEST_BIN_MD5 = "4499cfba6c016c1be1438163640a0898"


def silent(done: int, total: int) -> None:
    """Report to nobody."""


def rows(split: str) -> np.ndarray:
    """Rows of the binary format: coarse label, fine label, then the planes of red, green and blue."""
    count = COUNTS[split]
    pixels = np.random.default_rng(count).integers(0, 256, (count, 3072), dtype=np.uint8)
    fine = np.arange(count, dtype=np.uint8)[:, None] % 100
    return np.concatenate([fine // 5, fine, pixels], axis=1)


def archive(path: Path, **members: bytes) -> Path:
    """A tar.gz with the official layout; a member given as an argument replaces the right one."""
    content = {"train.bin": rows("train").tobytes(), "test.bin": rows("test").tobytes()}
    content["fine_label_names.txt"] = "\n".join([*NAMES, "", ""]).encode()
    content |= {name.replace("_bin", ".bin").replace("_txt", ".txt"): data for name, data in members.items()}
    with tarfile.open(path, "w:gz", compresslevel=0) as tar:
        for name, data in content.items():
            entry = tarfile.TarInfo(f"cifar-100-binary/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 images in place of 60,000, and no way out to the real site."""
    monkeypatch.setattr(cifar100, "COUNTS", COUNTS)
    monkeypatch.setattr(cifar100, "SITE", "http://127.0.0.1:9")


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that holds the archive."""
    monkeypatch.setattr(cifar100, "ARCHIVE_MD5", download.md5_of(archive(tmp_path / cifar100.ARCHIVE)))
    return tmp_path


def test_a_given_archive_becomes_a_table(given: Path) -> None:
    samples = cifar100.load("test", given, silent)
    assert (samples.images.transpose(0, 3, 1, 2).reshape(100, -1) == rows("test")[:, 2:]).all()
    assert samples.labels.tolist() == list(range(100))
    assert samples.class_names == tuple(NAMES)
    assert samples.ids[:2] == ("test-00000", "test-00001")
    assert sorted(path.name for path in given.iterdir()) == [cifar100.ARCHIVE, "cifar100.npz"]


def test_the_table_is_read_without_the_archive(given: Path) -> None:
    first = cifar100.load("train", given, silent)
    (given / cifar100.ARCHIVE).unlink()
    assert cifar100.load("train", given, silent).sha256 == first.sha256
    assert first.ids[-1] == "train-00199"


def test_other_pixels_than_the_official_ones_are_noted(given: Path) -> None:
    assert "differ from the official" in cifar100.load("test", given, silent).notes[0]


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(DataError, match="cannot be put there"):
        cifar100.load("test", tmp_path / "data", silent)


def test_the_archive_is_fetched_with_progress_and_removed(
    given: Path, serve: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar100, "SITE", serve(given))
    seen: list[tuple[int, int]] = []
    folder = given / "new" / "folder"
    samples = cifar100.load("train", folder, lambda done, total: seen.append((done, total)))
    assert len(samples) == 200
    size = (given / cifar100.ARCHIVE).stat().st_size
    assert seen[-1] == (size, size)
    assert [path.name for path in folder.iterdir()] == ["cifar100.npz"]


def test_without_a_network_one_line_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        cifar100.load("train", tmp_path, silent)
    assert caught.value.exit_code == 2
    for word in ("cifar-100-binary.tar.gz", "cifar100.npz", str(tmp_path)):
        assert word in caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "broken",
    [
        {"test_bin": b""},
        {"test_bin": rows("test").tobytes()[:-1]},
        {"train_bin": rows("train").tobytes() + b"0"},
        {"fine_label_names_txt": b"\xff"},
    ],
    ids=["empty", "short", "long", "names not ascii"],
)
def test_a_damaged_archive_is_refused(tmp_path: Path, broken: dict[str, bytes]) -> None:
    with pytest.raises(DataError, match="damaged"):
        cifar100.unpack(archive(tmp_path / "a.tar.gz", **broken))


@pytest.mark.parametrize("keep", [0, 10, 2000], ids=["empty", "header", "half"])
def test_a_truncated_archive_is_refused(tmp_path: Path, keep: int) -> None:
    path = archive(tmp_path / "a.tar.gz")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="damaged"):
        cifar100.unpack(path)


def test_an_archive_that_is_not_official_is_refused(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar100, "ARCHIVE_MD5", "0" * 32)
    with pytest.raises(DataError, match="not the official archive"):
        cifar100.load("test", given, silent)
    assert not (given / "cifar100.npz").exists()


def table(**changes: object) -> dict[str, np.ndarray]:
    """The arrays of a right table, with changes; None leaves one out."""
    right: dict[str, object] = {"fine_names": np.array(NAMES)}
    for split, count in COUNTS.items():
        right[f"x_{split}"] = rows(split)[:, 2:].reshape(count, 32, 32, 3)
        right[f"y_{split}"] = rows(split)[:, 1]
    return {name: np.asarray(array) for name, array in (right | changes).items() if array is not None}


WRONG = {
    "no images": ({"x_test": None}, "no array 'x_test'"),
    "no names": ({"fine_names": None}, "no array 'fine_names'"),
    "too few images": ({"x_test": np.zeros((99, 32, 32, 3), np.uint8)}, "must have the shape"),
    "channels first": ({"x_test": np.zeros((100, 3, 32, 32), np.uint8)}, "must have the shape"),
    "float pixels": ({"x_test": np.zeros((100, 32, 32, 3), np.float32)}, "must be uint8"),
    "too few labels": ({"y_test": np.arange(50)}, "must have the shape"),
    "a label of 100": ({"y_test": np.arange(1, 101)}, "labels must lie in 0..99"),
    "a negative label": ({"y_test": np.arange(-1, 99)}, "labels must lie in 0..99"),
    "labels as words": ({"y_test": np.array(NAMES)}, "whole numbers"),
    "ten names": ({"fine_names": np.array(NAMES[:10])}, "must have the shape"),
    "pickled names": ({"fine_names": np.array(NAMES, dtype=object)}, "without pickle"),
}


@pytest.mark.parametrize(("changes", "match"), WRONG.values(), ids=WRONG)
def test_a_wrong_table_is_refused(tmp_path: Path, changes: dict[str, object], match: str) -> None:
    np.savez(tmp_path / "cifar100.npz", **table(**changes))
    with pytest.raises(DataError, match=match):
        cifar100.load("test", tmp_path, silent)


def test_a_truncated_table_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "cifar100.npz", **table())
    whole = (tmp_path / "cifar100.npz").read_bytes()
    (tmp_path / "cifar100.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="not a whole"):
        cifar100.load("test", tmp_path, silent)


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not that many"):
        cifar100.write(tmp_path / "cifar100.npz", {"x": Unwritable()})  # type: ignore[dict-item]
    assert list(tmp_path.iterdir()) == []


class Unwritable:
    """An array that fails when it is written."""

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        raise ValueError("not that many bytes")


@pytest.mark.skipif(not (SHARED / "cifar100-test.zip").is_file(), reason="the shared CIFAR-100 packs are not here")
def test_the_real_test_set_has_the_official_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(SHARED / "cifar100-test.zip") as pack:
        tiles = sorted(name for name in pack.namelist() if name.endswith(".webp"))
        mosaics = np.stack([np.asarray(Image.open(io.BytesIO(pack.read(name))).convert("RGB")) for name in tiles])
        coarse, fine = (np.load(io.BytesIO(pack.read(f"{name}.npy"))).astype(np.uint8) for name in ("coarse", "fine"))
        names = json.loads(pack.read("info.json"))["fine_names"]
    planes = mosaics.reshape(-1, 10, 32, 10, 32, 3).transpose(0, 1, 3, 5, 2, 4).reshape(-1, 3072)
    binary = np.concatenate([coarse[:, None], fine[:, None], planes], axis=1).tobytes()
    assert hashlib.md5(binary, usedforsecurity=False).hexdigest() == TEST_BIN_MD5
    monkeypatch.setattr(cifar100, "COUNTS", {"test": 10_000, "train": 200})
    arrays = cifar100.unpack(
        archive(tmp_path / "a.tar.gz", test_bin=binary, fine_label_names_txt="\n".join(names).encode())
    )
    np.savez(tmp_path / "cifar100.npz", **arrays)
    samples = cifar100.load("test", tmp_path, silent)
    assert samples.notes == ()
    assert samples.class_names[0] == "apple"

"""The user's own images: folders, tables and arrays that must work."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeval.tasks.own import load_own

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (6, 5), dtype=np.uint8)
LIBRARY = {"cat/a.png": COLOUR, "cat/b.png": 255 - COLOUR, "dog/a.png": COLOUR // 2}


def library(root: Path, files: dict[str, np.ndarray] = LIBRARY) -> Path:
    """A folder of images, written in the reverse of the order in which they must be read."""
    for name, pixels in reversed(files.items()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / name)
    return root


def csv_of(root: Path, *lines: str, header: str = "path,label", encoding: str = "utf-8") -> Path:
    """A CSV beside the images."""
    path = root / "images.csv"
    path.write_bytes("\r\n".join([header, *lines]).encode(encoding, "surrogateescape"))
    return path


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    samples = load_own(library(tmp_path))
    assert samples.ids == ("cat/a.png", "cat/b.png", "dog/a.png")
    assert samples.labels.tolist() == [0, 0, 1]
    assert samples.class_names == ("cat", "dog")
    assert (samples.images == np.stack(list(LIBRARY.values()))).all()
    assert samples.notes == ()


@pytest.mark.parametrize("content", ["dog\ncat\n", "\ufeffdog\r\n\r\n cat "], ids=["plain", "from Windows"])
def test_classes_txt_sets_the_order(tmp_path: Path, content: str) -> None:
    (library(tmp_path) / "classes.txt").write_text(content, encoding="utf-8", newline="")
    samples = load_own(tmp_path)
    assert samples.class_names == ("dog", "cat")
    assert samples.ids == ("dog/a.png", "cat/a.png", "cat/b.png")


def test_given_class_names_may_name_classes_without_images(tmp_path: Path) -> None:
    samples = load_own(library(tmp_path), class_names=("bird", "cat", "dog"))
    assert samples.labels.tolist() == [1, 1, 2]
    assert samples.notes == ("no images of class bird",)


def test_hidden_and_other_files_are_left_out(tmp_path: Path) -> None:
    library(tmp_path, LIBRARY | {"cat/.hidden.png": COLOUR, ".git/a.png": COLOUR, "cat/.cache/a.png": COLOUR})
    (tmp_path / "cat" / "notes.md").write_text("no image")
    (tmp_path / "README").write_text("no class")
    samples = load_own(tmp_path)
    assert len(samples) == 3
    assert samples.notes == ("files skipped because they are not images: 1",)


def test_deeper_folders_belong_to_their_class(tmp_path: Path) -> None:
    library(tmp_path, {"cat/z.png": COLOUR, "cat/young/a.PNG": COLOUR, "dog/a.png": COLOUR})
    assert load_own(tmp_path).ids == ("cat/young/a.PNG", "cat/z.png", "dog/a.png")


def test_links_to_files_and_classes_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    library(tmp_path / "elsewhere")
    root = library(tmp_path / "data", {"ant/a.png": COLOUR})
    (root / "cat").symlink_to(tmp_path / "elsewhere" / "cat")
    (root / "ant" / "b.png").symlink_to(tmp_path / "elsewhere" / "dog" / "a.png")
    (root / "ant" / "round").symlink_to(root)
    assert load_own(root).ids == ("ant/a.png", "ant/b.png", "cat/a.png", "cat/b.png")


ODD = [
    "new\nline",
    "quote\"and'",
    "comma,",
    "größe",
    "日本",
    " space ",
    "semi;colon",
    "%s{0}",
    "-n",
    os.fsdecode(b"\xff\xfe"),
]


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_odd_names_work(tmp_path: Path, name: str) -> None:
    library(tmp_path, {f"cat/{name}.png": COLOUR, f"{name}/x.png": GREY})
    by_folder = load_own(tmp_path)
    assert set(by_folder.ids) == {f"cat/{name}.png", f"{name}/x.png"}
    quoted = f"cat/{name}.png".replace('"', '""')
    by_csv = load_own(csv_of(tmp_path, f'"{quoted}",cat'))
    assert by_csv.ids == (f"cat/{name}.png",)
    assert len(by_csv.sha256) == 64


def test_a_csv_keeps_its_rows_in_order(tmp_path: Path) -> None:
    library(tmp_path)
    samples = load_own(csv_of(tmp_path, "dog/a.png,dog", "./cat/a.png,cat", "dog/../cat/b.png,cat"))
    assert samples.ids == ("dog/a.png", "cat/a.png", "cat/b.png")
    assert samples.labels.tolist() == [1, 0, 0]
    assert samples.class_names == ("cat", "dog")


CSVS = {
    "indices": (["cat/a.png,0", "dog/a.png,2"], {}, None, [0, 2], ("0", "1", "2")),
    "indices into names": (["cat/a.png,0", "dog/a.png,1"], {}, ("cat", "dog"), [0, 1], ("cat", "dog")),
    "names that are given": (["cat/a.png,dog", "dog/a.png,cat"], {}, ("dog", "cat"), [0, 1], ("dog", "cat")),
    "names that are digits": (["cat/a.png,1", "dog/a.png,0"], {}, ("1", "0"), [0, 1], ("1", "0")),
    "a byte order mark": (["cat/a.png,x", "dog/a.png,y"], {"encoding": "utf-8-sig"}, None, [0, 1], ("x", "y")),
    "blank lines": (["cat/a.png,x", "", "dog/a.png,y", ""], {}, None, [0, 1], ("x", "y")),
    "columns the other way": (["x,cat/a.png", "y,dog/a.png"], {"header": "label, path"}, None, [0, 1], ("x", "y")),
}


@pytest.mark.parametrize(("lines", "how", "names", "labels", "classes"), CSVS.values(), ids=CSVS)
def test_csv_labels_are_names_or_indices(
    tmp_path: Path,
    lines: list[str],
    how: dict[str, str],
    names: tuple[str, ...] | None,
    labels: list[int],
    classes: tuple[str, ...],
) -> None:
    samples = load_own(csv_of(library(tmp_path), *lines, **how), class_names=names)
    assert samples.labels.tolist() == labels
    assert samples.class_names == classes


def test_classes_txt_beside_a_csv_gives_the_names(tmp_path: Path) -> None:
    (library(tmp_path) / "classes.txt").write_text("dog\ncat\n")
    samples = load_own(csv_of(tmp_path, "cat/a.png,1", "dog/a.png,dog"))
    assert samples.labels.tolist() == [1, 0]


def test_an_absolute_path_inside_the_folder_has_a_relative_id(tmp_path: Path) -> None:
    library(tmp_path)
    assert load_own(csv_of(tmp_path, f"{tmp_path}/cat/a.png,cat")).ids == ("cat/a.png",)


def test_other_columns_are_noted(tmp_path: Path) -> None:
    samples = load_own(csv_of(library(tmp_path), "cat/a.png,cat,train", header="path,label,split"))
    assert samples.notes == ("columns of the CSV that are not used: split",)


ARRAYS = {
    "uint8": (np.zeros((2, 4, 5, 3), np.uint8), np.uint8, (2, 4, 5, 3)),
    "float32": (np.ones((2, 4, 5, 3), np.float32), np.float32, (2, 4, 5, 3)),
    "float64": (np.full((2, 4, 5, 1), 0.1), np.float32, (2, 4, 5, 1)),
    "float16": (np.ones((2, 4, 5, 1), np.float16), np.float32, (2, 4, 5, 1)),
    "big endian": (np.ones((2, 4, 5, 1), ">f4"), np.float32, (2, 4, 5, 1)),
    "without channels": (np.zeros((2, 4, 5), np.uint8), np.uint8, (2, 4, 5, 1)),
}


@pytest.mark.parametrize(("x", "dtype", "shape"), ARRAYS.values(), ids=ARRAYS)
def test_arrays_keep_their_kind(tmp_path: Path, x: np.ndarray, dtype: type, shape: tuple[int, ...]) -> None:
    np.savez(tmp_path / "own.npz", x=x, y=[0, 2])
    samples = load_own(tmp_path / "own.npz")
    assert samples.images.dtype == dtype
    assert samples.images.shape == shape
    assert samples.ids == ("0", "1")
    assert samples.class_names == ("0", "1", "2")


@pytest.mark.parametrize("ids", [["b", "a"], [b"b", b"a"], np.array([7, 5])], ids=["text", "bytes", "numbers"])
def test_arrays_may_bring_ids_and_names(tmp_path: Path, ids: list[object]) -> None:
    np.savez(tmp_path / "own.npz", x=np.zeros((2, 4, 4, 1), np.uint8), y=[1, 0], ids=ids, class_names=["cat", "dog"])
    samples = load_own(tmp_path / "own.npz")
    assert samples.ids in (("b", "a"), ("7", "5"))
    assert samples.class_names == ("cat", "dog")


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_arrays_are_resized_channel_by_channel(tmp_path: Path, kind: type) -> None:
    x = RNG.integers(0, 256, (3, 8, 6, 3)).astype(kind)
    np.savez(tmp_path / "own.npz", x=x, y=[0, 1, 0])
    samples = load_own(tmp_path / "own.npz", size=(4, 12))
    assert samples.images.shape == (3, 4, 12, 3)
    assert samples.images.dtype == kind
    assert abs(samples.images.mean() - x.mean()) < 5
    assert samples.notes == ("3 images of 8x6 resized to 4x12 (bilinear)",)


def test_equal_pixels_have_equal_hashes_wherever_they_come_from(tmp_path: Path) -> None:
    samples = load_own(library(tmp_path, {"cat/a.png": COLOUR, "cat/b.bmp": COLOUR, "dog/c.png": 255 - COLOUR}))
    np.savez(tmp_path / "own.npz", x=COLOUR[None], y=[0])
    first, again, other = samples.content_hashes()
    assert first == again == load_own(tmp_path / "own.npz").content_hashes()[0] != other


def test_progress_counts_images(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    load_own(library(tmp_path), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]

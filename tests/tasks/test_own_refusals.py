"""Bad data: each ends in one DataError that says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeval.errors import DataError
from edgeval.tasks.own import load_own

Build = Callable[[Path], Path]
PIXELS = np.zeros((4, 4, 3), np.uint8)
X, Y = np.zeros((2, 4, 4, 3), np.uint8), np.array([0, 1])
NAN = np.full((2, 4, 4, 3), np.nan, np.float32)


def folder(*names: str, **texts: str) -> Build:
    """A folder with images (names that end in .png) and empty folders (other names); `texts` become .txt files."""

    def build(root: Path) -> Path:
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(PIXELS).save(root / name) if name.endswith(".png") else (root / name).mkdir(exist_ok=True)
        for name, text in texts.items():
            (root / f"{name}.txt").write_bytes(text.encode("latin-1"))
        return root

    return build


def table(*lines: str, **texts: str) -> Build:
    """A CSV beside the image a/x.png."""

    def build(root: Path) -> Path:
        folder("a/x.png", **texts)(root)
        (root / "list.csv").write_bytes("\n".join(lines).encode())
        return root / "list.csv"

    return build


def arrays(**content: object) -> Build:
    """An .npz with these arrays."""

    def build(root: Path) -> Path:
        np.savez(root / "own.npz", **{name: np.asarray(array) for name, array in content.items()})
        return root / "own.npz"

    return build


def raw(name: str, content: bytes) -> Build:
    """A file with these bytes; a name with a slash is an image of its class folder."""

    def build(root: Path) -> Path:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
        return root / name.partition("/")[0]

    return build


def deep(root: Path) -> Path:
    """A class with a 16-bit image."""
    (root / "cat").mkdir()
    Image.fromarray(np.full((4, 4), 60_000, np.uint16)).save(root / "cat" / "deep.png")
    return root


def sizes(root: Path) -> Path:
    """A class with two sizes of image."""
    folder("cat/a.png")(root)
    Image.fromarray(PIXELS[:2]).save(root / "cat" / "b.png")
    return root


CASES: dict[str, tuple[Build, str, str]] = {
    "nothing there": (lambda root: root / "absent", "no such data", "absent"),
    "another kind of file": (raw("own.h5", b"x"), "not known", "own.h5"),
    "a name of 5,000 letters": (lambda root: root / ("a" * 5000), "cannot be read", "permissions"),
    # folders
    "an empty folder": (folder(), "has no subfolder", "named after its class"),
    "images without class folders": (folder("a.png", "b.png"), "has no subfolder", "named after its class"),
    "only empty classes": (folder("cat", "dog"), "no class folder", "cat, dog"),
    "only hidden images": (folder("cat/.a.png"), "no class folder", "cat"),
    "splits in place of classes": (folder("train/cat/a.png", "val/cat/a.png"), "splits, not classes", "train"),
    "a folder that classes.txt lacks": (folder("cat/a.png", "dgo/a.png", classes="cat\ndog"), "dgo", "mean dog?"),
    "an empty classes.txt": (folder("cat/a.png", classes="\n \n"), "names no class", "one class name a line"),
    "a class twice": (folder("cat/a.png", classes="cat\ncat"), "occurs twice", "cat"),
    "classes.txt in Latin-1": (folder("gr\xf6\xdfe/a.png", classes="gr\xf6\xdfe"), "UTF-8", "classes.txt"),
    "two sizes": (sizes, "differ in size", "--size 4x4"),
    "16 bits": (deep, "more than 8 bits", "deep.png"),
    "text that is called png": (lambda root: raw("cat/a.png", b"hello")(root).parent, "as an image", "a.png"),
    "an empty image": (lambda root: raw("cat/a.png", b"")(root).parent, "as an image", "a.png"),
    "a script that is called png": (
        lambda root: raw("cat/a.png", b"%!PS-Adobe-3.0 EPSF")(root).parent,
        "as an image",
        "a.png",
    ),
    # CSV
    "an empty CSV": (table(), "columns path and label", "path,label"),
    "no header": (table("a/x.png,cat"), "columns path and label", "a/x.png,cat"),
    "a header alone": (table("path,label"), "no row", "path,label"),
    "semicolons": (table("path;label", "a/x.png;cat"), "columns path and label", "path;label"),
    "the same column twice": (table("path,label,label", "a/x.png,cat,dog"), "columns path and label", "path,label"),
    "a short row": (table("path,label", "a/x.png"), "line 2", "columns"),
    "a long row": (table("path,label", "a/x.png,cat,3"), "line 2", "columns"),
    "an open quote": (table("path,label", '"a/x.png,cat'), "cannot be read as CSV", "quotes"),
    "a missing image": (table("path,label", "a/x.png,cat", "a/y.png,cat"), "line 3", "relative to"),
    "a NUL in a path": (table("path,label", "a/\0.png,cat"), "list.csv", "path"),
    "a folder as an image": (table("path,label", "a,cat"), "line 2", "not there"),
    "a path out of the folder": (table("path,label", "../a/x.png,cat"), "leads out", "line 2"),
    "an absolute path": (table("path,label", "/etc/passwd,cat"), "leads out", "/etc/passwd"),
    "an empty path": (table("path,label", ",cat"), "leads out", "line 2"),
    "the same image twice": (table("path,label", "a/x.png,cat", "./a/x.png,cat"), "different", "a/x.png"),
    "an unknown name": (table("path,label", "a/x.png,dgo", classes="cat\ndog"), "dgo", "did you mean dog"),
    "an index too high": (table("path,label", "a/x.png,2", classes="cat\ndog"), "seen: 2", "2 classes"),
    "a negative index": (table("path,label", "a/x.png,-1", classes="cat\ndog"), "seen: -1", "2 classes"),
    "numbers and names": (
        table("path,label", "a/x.png,1", "a/x.png,cat"),
        "neither all indices nor all names",
        "classes.txt",
    ),
    "labels that a spreadsheet made fractions": (table("path,label", "a/x.png,10.0"), "neither all indices", "10.0"),
    "a negative index without names": (table("path,label", "a/x.png,-1"), "neither all indices", "-1"),
    "a path of 5,000 letters": (table("path,label", f"{'a' * 5000},cat"), "cannot be read", "too long"),
    "an endless index": (table("path,label", f"a/x.png,{'9' * 5000}"), "labels must lie in", "99999"),
    "an empty label": (table("path,label", "a/x.png, ", classes="cat"), "no label", "line 2"),
    "an empty label without classes": (table("path,label", "a/x.png,"), "no label", "line 2"),
    # arrays
    "no x": (arrays(images=X, y=Y), "no array 'x'", "images, y"),
    "no y": (arrays(x=X), "no array 'y'", "numpy.savez"),
    "no rows": (arrays(x=X[:0], y=Y[:0]), "no image", "at least one"),
    "channels first": (arrays(x=X.transpose(0, 3, 1, 2).repeat(2, 2).repeat(2, 3), y=Y), "channels first", "transpose"),
    "flat rows": (arrays(x=X.reshape(2, -1), y=Y), "shape", "height"),
    "whole numbers of 64 bits": (arrays(x=X.astype(np.int64), y=Y), "uint8 or float", "astype"),
    "complex pixels": (arrays(x=X.astype(complex), y=Y), "uint8 or float", "complex"),
    "NaN pixels": (arrays(x=NAN, y=Y), "NaN", "values"),
    "pixels beyond float32": (arrays(x=np.full(X.shape, 1e300), y=Y), "infinite", "values"),
    "one-hot labels": (arrays(x=X, y=np.eye(2)), "one dimension", "(2, 2)"),
    "half labels": (arrays(x=X, y=[0.5, 1]), "whole numbers", "float"),
    "negative labels": (arrays(x=X, y=[-1, 0]), "-1..0", "count from 0"),
    "a label beyond the names": (arrays(x=X, y=[0, 2], class_names=["a", "b"]), "0..2", "class names"),
    "an endless label": (arrays(x=X, y=[0, 2**62]), "labels must lie", "count from 0"),
    "too few labels": (arrays(x=X, y=[0]), "differ in number", "(2, 1, 1)"),
    "ids twice": (arrays(x=X, y=Y, ids=["a", "a"]), "different", "a"),
    "too few ids": (arrays(x=X, y=Y, ids=["a"]), "differ in number", "(2, 2, 1)"),
    "ids in two dimensions": (arrays(x=X, y=Y, ids=[["a"], ["b"]]), "one dimension", "(2, 1)"),
    "the same name twice": (arrays(x=X, y=Y, class_names=["a", "a"]), "occurs twice", "a"),
    "pickled pixels": (arrays(x=np.array([None, None]), y=Y), "without pickle", "own.npz"),
    "an empty npz": (raw("own.npz", b""), "0 bytes", "own.npz"),
    "no npz at all": (raw("own.npz", b"PK\x03\x04 and more"), "not a whole", "own.npz"),
}


@pytest.mark.parametrize(("build", "what", "also"), CASES.values(), ids=CASES)
def test_bad_data_is_refused_in_one_line(tmp_path: Path, build: Build, what: str, also: str) -> None:
    with pytest.raises(DataError) as caught:
        load_own(build(tmp_path))
    line = str(caught.value)
    assert what in line
    assert also in line
    assert "\n" not in line
    assert caught.value.exit_code == 2


NAMES = {
    "folder": (folder("cat/a.png", classes="cat\ndog"), ("dog", "cat")),
    "csv": (table("path,label", "a/x.png,0", classes="cat\ndog"), ("dog", "cat")),
    "npz": (arrays(x=X, y=Y, class_names=["cat", "dog"]), ("cat", "dog", "bird")),
}


@pytest.mark.parametrize(("build", "names"), NAMES.values(), ids=NAMES)
def test_class_names_that_disagree_are_refused(tmp_path: Path, build: Build, names: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="other class names, or another order"):
        load_own(build(tmp_path), class_names=names)


@pytest.mark.parametrize("size", [(0, 4), (4, -1)])
def test_a_size_must_be_positive(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="at least 1"):
        load_own(folder("cat/a.png")(tmp_path), size=size)

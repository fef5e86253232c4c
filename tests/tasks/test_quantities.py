"""Images with measured numbers: an .npz or a CSV, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeval.errors import DataError
from edgeval.tasks.quantities import load_quantities

X = np.arange(4 * 5 * 5 * 3, dtype=np.uint8).reshape(4, 5, 5, 3)
Y = np.array([0.5, 1.0, -2.0, 4.0])
BAD_NPZ: dict[str, tuple[dict[str, Any], str]] = {
    "no y": ({"x": X}, "no array 'y'"),
    "no x": ({"y": Y}, "no array 'x'"),
    "few": ({"x": X, "y": Y[:3]}, "differ in number"),
    "nan": ({"x": X, "y": np.r_[Y[:3], np.nan]}, "the first is 3"),
    "text": ({"x": X, "y": Y.astype(str)}, "must be numbers"),
    "cube": ({"x": X, "y": np.ones((4, 2, 2))}, "shape"),
    "empty": ({"x": X[:0], "y": Y[:0]}, "shape"),
    "names": ({"x": X, "y": Y, "output_names": ["a", "b"]}, "one name of its own"),
    "ids": ({"x": X, "y": Y, "ids": [1, 1, 2, 3]}, "different from one another"),
    "table": ({"x": np.ones((4, 7)), "y": Y}, "height, width"),
}
BAD_CSV = {
    "no number": ("path,angle\na.png,steep\n", "no number"),
    "nan": ("path,angle\na.png,nan\n", "NaN"),
    "no column": ("path\na.png\n", "columns of numbers"),
    "no path": ("file,angle\na.png,1\n", "column path"),
    "no row": ("path,angle\n", "no row"),
    "no file": ("path,angle\nb.png,1\n", "not there"),
    "uneven": ("path,angle\na.png\n", "another number of columns"),
    "outside": ("path,angle\n../a.png,1\n", "leads out"),
    "twice": ("path,angle,angle\na.png,1,2\n", "one name of its own"),
}


@pytest.mark.parametrize("name", BAD_NPZ)
def test_an_npz_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    arrays, said = BAD_NPZ[name]
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(DataError, match=said):
        load_quantities(tmp_path / "d.npz")


@pytest.mark.parametrize("name", BAD_CSV)
def test_a_csv_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    text, said = BAD_CSV[name]
    Image.fromarray(X[0]).save(tmp_path / "a.png")
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        load_quantities(tmp_path / "d.csv")


@pytest.mark.parametrize(("name", "said"), [("", "folder of classes"), ("no.npz", "no such data"), ("d.txt", "known")])
def test_other_kinds_of_data_are_refused(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "d.txt").write_text("1")
    with pytest.raises(DataError, match=said):
        load_quantities(tmp_path / name)


def test_a_csv_names_its_outputs(tmp_path: Path) -> None:
    for k in range(2):
        Image.fromarray(X[k]).save(tmp_path / f"{k}.png")
    (tmp_path / "d.csv").write_text("width,path,height\n1.5,1.png,2\n-3,0.png,4e1\n")
    found = load_quantities(tmp_path / "d.csv", size=(4, 4))
    assert (found.output_names, found.samples.ids) == (("width", "height"), ("1.png", "0.png"))
    assert found.targets.tolist() == [[1.5, 2.0], [-3.0, 40.0]]
    assert found.samples.images.shape == (2, 4, 4, 3)


def test_an_npz_with_ids_and_names_and_a_hash_of_everything(tmp_path: Path) -> None:
    def load(**change: Any) -> Any:
        arrays = {"x": X, "y": Y, "ids": ["a", "b", "c", "d"], "output_names": ["angle"]} | change
        np.savez(tmp_path / "d.npz", **arrays)
        return load_quantities(tmp_path / "d.npz")

    first = load()
    assert (len(first), first.targets.shape, first.output_names) == (4, (4, 1), ("angle",))
    others = [load(y=Y + 1), load(ids=["a", "b", "c", "e"]), load(output_names=["b"]), load(x=X + 1)]
    assert len({first.sha256, *(other.sha256 for other in others)}) == 5

"""Tables of regression models: what is written is read back, and what cannot be used is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.errors import DataError
from edgeval.records.predictions import Source
from edgeval.records.values import Values, encode_values, holds_values, read_values

Y = np.array([0.0, 1.0, 2.0, 4.0])
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no values": ({"targets": Y}, "no array 'values'"),
    "no targets": ({"values": Y}, "no array 'targets'"),
    "shapes": ({"targets": Y, "values": Y[:3]}, "differ in shape"),
    "outputs": ({"targets": Y, "values": np.ones((4, 2))}, "differ in shape"),
    "nan target": ({"targets": np.r_[Y[:3], np.nan], "values": Y}, "row 3"),
    "infinite value": ({"targets": Y, "values": np.r_[np.inf, Y[1:]]}, "NaN or infinite"),
    "no sample": ({"targets": Y[:0], "values": Y[:0]}, "no sample"),
    "no output": ({"targets": np.ones((4, 0)), "values": np.ones((4, 0))}, "shape"),
    "text": ({"targets": Y.astype(str), "values": Y}, "must be numbers"),
    "complex": ({"targets": Y, "values": Y + 1j}, "must be numbers"),
    "a cube": ({"targets": np.ones((4, 2, 2)), "values": np.ones((4, 2, 2))}, "shape"),
    "a single number": ({"targets": np.float64(1), "values": np.float64(1)}, "shape"),
    "too large": ({"targets": Y, "values": Y * 1e80}, "too large"),
    "pickle": ({"targets": np.array([{}, {}]), "values": Y[:2]}, "without pickle"),
    "repeated ids": ({"targets": Y, "values": Y, "ids": [1, 1, 2, 3]}, "different from one another"),
    "few ids": ({"targets": Y, "values": Y, "ids": [1, 2]}, "differ in length"),
    "names": ({"targets": Y, "values": Y, "output_names": ["a", "b"]}, "name each output once"),
    "same names": ({"targets": np.ones((4, 2)), "values": np.ones((4, 2)), "output_names": ["a", "a"]}, "once"),
    "header": ({"targets": Y, "values": Y, "header": np.array("{")}, "not JSON"),
    "header keys": ({"targets": Y, "values": Y, "header": np.array('{"nme": 1}')}, "unknown key 'nme'"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    arrays, said = BAD[name]
    np.savez(tmp_path / "t.npz", **arrays)
    with pytest.raises(DataError, match=said):
        read_values(tmp_path / "t.npz")


def test_a_plain_table_is_read_and_marked_imported(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", targets=Y.astype(int), values=Y[:, None].astype(np.float16))
    found = read_values(tmp_path / "t.npz")
    assert (found.targets.shape, found.values.dtype, found.output_names) == ((4, 1), np.float64, ("output",))
    assert (found.ids, found.source.origin, found.source.name) == (None, "imported", "t")
    assert holds_values(tmp_path / "t.npz")


def test_a_table_of_edgeval_comes_back_whole_and_changed_answers_are_noticed(tmp_path: Path) -> None:
    source = Source(name="m", format="onnx", origin="desktop")
    table = Values(np.ones((2, 2)), np.zeros((2, 2)), ("é", "b"), source, ids=("x\n", "y"))
    path = tmp_path / "t.npz"
    path.write_bytes(encode_values(table))
    found = read_values(path, trusted=True)
    assert (found.output_names, found.ids, found.source.origin) == (("é", "b"), ("x\n", "y"), "desktop")
    assert read_values(path).source.origin == "imported"
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "values": arrays["values"] + 1e-9})
    with pytest.raises(DataError, match="changed since"):
        read_values(path, trusted=True)


def test_other_files_hold_no_values(tmp_path: Path) -> None:
    np.savez(tmp_path / "classes.npz", labels=[0], probs=[[1.0]])
    (tmp_path / "noise.npz").write_bytes(b"noise")
    assert not any(holds_values(tmp_path / name) for name in ("classes.npz", "noise.npz", "none.npz"))

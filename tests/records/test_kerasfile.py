"""Keras files are looked at before anything loads them: code, bombs, damage."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeval.errors import EdgevalError, IntegrityError, ModelError
from edgeval.records.kerasfile import check_keras, keras_form, model_bytes, model_sha256


def archive(path: Path, config: object, size: int = 0) -> Path:
    """A .keras file with this configuration, and `size` zero bytes of weights."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("config.json", json.dumps(config))
        made.writestr("model.weights.h5", b"\0" * size)
    return path


def folder(path: Path, graph: bytes) -> Path:
    path.mkdir()
    (path / "saved_model.pb").write_bytes(graph)
    return path


def node(operator: str) -> bytes:
    """A NodeDef of a graph in wire format: its operator is field 2."""
    return b"\x0a\x01n\x12" + bytes([len(operator)]) + operator.encode()


def layer(kind: str) -> object:
    return {"class_name": "Sequential", "config": {"layers": [{"class_name": kind, "config": {}}]}}


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda p: archive(p / "m.keras", layer("Lambda")), IntegrityError, "Python code in a Lambda"),
        (lambda p: archive(p / "m.keras", [{"a": layer("__lambda__")}]), IntegrityError, "Python code"),
        (lambda p: archive(p / "m.keras", layer("Dense"), 2**27), ModelError, "unpacks to far more"),
        (lambda p: written(p / "m.keras", b"no zip" * 9), ModelError, "not a whole .keras"),
        (lambda p: written(p / "m.keras", b""), ModelError, "0 bytes"),
        (lambda p: p / "m.keras", ModelError, "no such model"),
        (lambda p: written(p / "m.h5", b"no hdf5" * 9), ModelError, "not an HDF5 file"),
        (lambda p: written(p / "m.onnx", b"x"), ModelError, "no Keras file"),
        (lambda p: folder(p / "m", node("PyFunc")), IntegrityError, "reaches outside the model .seen: PyFunc"),
        (lambda p: folder(p / "m", b""), ModelError, "0 bytes"),
    ],
)
def test_what_is_refused(tmp_path: Path, make: Callable[[Path], Path], kind: type[EdgevalError], words: str) -> None:
    with pytest.raises(kind, match=words):
        check_keras(make(tmp_path))


def test_forms_sizes_and_hashes(tmp_path: Path) -> None:
    whole, saved = archive(tmp_path / "m.KERAS", layer("Dense")), folder(tmp_path / "s", node("MatMul"))
    assert [check_keras(whole), check_keras(saved), keras_form(tmp_path)] == ["keras", "savedmodel", None]
    assert model_bytes(saved) == len(node("MatMul"))
    before = model_sha256(saved)
    (saved / "more").write_bytes(b"1")
    assert model_sha256(saved) != before

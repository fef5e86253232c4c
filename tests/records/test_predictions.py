"""Tables of predictions: there and back, ties, and everything that is not a table."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.errors import DataError
from edgeval.records.predictions import (
    Predictions,
    Source,
    encode,
    from_outputs,
    looks_like_probabilities,
    read_table,
    softmax,
)

LABELS = np.array([0, 1, 2, 1])
PROBS = np.full((4, 3), 1 / 3)
LOGITS = np.arange(12.0).reshape(4, 3)


def made() -> Predictions:
    source = Source(name="m", format="tflite-int8", origin="desktop", params=7)
    names, ids = ("a", "b", "c"), ("x", "y", "é\n'", "z")
    return from_outputs(LOGITS.astype(np.float32), LABELS, kind="logits", class_names=names, ids=ids, source=source)


def test_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    path.write_bytes(encode(made()))
    found = read_table(path, trusted=True)
    assert found.source.model_copy(update={"answers_sha256": None}) == made().source
    assert (found.ids, found.class_names, found.kind) == (made().ids, made().class_names, "logits")
    assert np.array_equal(found.outputs, made().outputs)
    assert read_table(path).source.origin == "imported"


def test_answers_that_were_changed_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    path.write_bytes(encode(made()))
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "logits": arrays["logits"][:, ::-1]})
    with pytest.raises(DataError, match="answers were changed"):
        read_table(path, trusted=True)


def test_ties_go_to_the_lowest_index_and_are_counted() -> None:
    values = np.array([[1, 1, 0], [0, 2, 2], [5, 1, 1]], dtype=np.float32)
    found = from_outputs(
        values, np.array([0, 1, 2]), kind="logits", class_names=tuple("abc"), ids=None, source=made().source
    )
    assert found.classes.tolist() == [0, 1, 0]
    assert found.ties == 2


def test_softmax_survives_large_logits() -> None:
    assert softmax(np.array([[1e4, 0.0], [-1e4, -1e4]])) == pytest.approx(np.array([[1, 0], [0.5, 0.5]]))


@pytest.mark.parametrize(
    ("outputs", "expected"), [(PROBS, True), (np.round(PROBS * 256) / 256, True), (LOGITS, False), (PROBS - 0.4, False)]
)
def test_probabilities_are_told_from_logits(outputs: np.ndarray, expected: bool) -> None:
    assert looks_like_probabilities(outputs) is expected


BAD: list[tuple[dict[str, Any], str]] = [
    ({"probs": PROBS}, "no array 'labels'"),
    ({"labels": LABELS}, "exactly one of"),
    ({"labels": LABELS, "probs": PROBS, "logits": LOGITS}, "exactly one of"),
    ({"labels": LABELS[:3], "probs": PROBS}, "differ in length"),
    ({"labels": LABELS, "probs": PROBS[:, 0]}, "must be numbers"),
    ({"labels": LABELS, "probs": PROBS[:, :1]}, "must be numbers"),
    ({"labels": LABELS, "logits": np.where(LOGITS == 4, np.nan, LOGITS)}, "NaN or infinite values (seen: 1 of 4 rows)"),
    ({"labels": LABELS, "logits": np.where(LOGITS == 4, np.inf, LOGITS)}, "NaN or infinite"),
    ({"labels": LABELS, "probs": LOGITS}, "sum to 1"),
    ({"labels": LABELS, "probs": PROBS - [0.5, 0, -0.5]}, "non-negative"),
    ({"labels": LABELS + 1, "probs": PROBS}, "must lie in 0..2 (seen: 0..3)"),
    ({"labels": LABELS - 1, "probs": PROBS}, "must lie in 0..2"),
    ({"labels": LABELS + 0.5, "probs": PROBS}, "whole numbers"),
    ({"labels": np.array([np.nan, 0, 0, 0]), "probs": PROBS}, "NaN"),
    ({"labels": np.array(["cat"] * 4), "probs": PROBS}, "whole numbers"),
    ({"labels": LABELS[:, None], "probs": PROBS}, "one dimension"),
    ({"labels": LABELS[:0], "probs": PROBS[:0]}, "no sample"),
    ({"labels": LABELS, "probs": PROBS, "ids": np.array(["a", "b", "c", "a"])}, "different from one another"),
    ({"labels": LABELS, "probs": PROBS, "ids": np.arange(3)}, "ids and labels differ"),
    ({"labels": LABELS, "probs": PROBS, "class_names": np.array(["a", "b"])}, "class_names and outputs"),
    ({"labels": LABELS, "predictions": np.array([0, 1, 2, -1])}, "must lie in"),
    ({"labels": LABELS, "predictions": np.array([0.5, 1, 2, 1])}, "whole numbers"),
    ({"labels": LABELS, "probs": np.array([{}] * 4)}, "without pickle"),
    ({"labels": LABELS, "logits": LOGITS * 1e39}, "NaN or infinite"),
    ({"labels": np.array([0]), "probs": np.zeros((1, 1000))}, "sum to 1"),
    ({"labels": np.array([0]), "probs": np.full((1, 1000), 0.0029)}, "sum to 1"),
    ({"labels": np.array([20_000_000]), "predictions": np.array([0])}, "too many classes"),
    ({"labels": LABELS, "probs": PROBS, "ids": np.array(5)}, "one-dimensional"),
    ({"labels": LABELS, "probs": PROBS, "class_names": np.array("abc")}, "one-dimensional"),
    ({"labels": LABELS, "probs": PROBS, "header": np.array("{")}, "not JSON"),
    ({"labels": LABELS, "probs": PROBS, "header": np.array('{"name": 3}')}, "header cannot be used"),
]


@pytest.mark.parametrize(("arrays", "said"), BAD, ids=[said for _, said in BAD])
def test_what_is_not_a_table_is_refused_in_one_line(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    path = tmp_path / "t.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"hello" * 100])
def test_files_that_are_not_npz_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"empty|not a whole \.npz"):
        read_table(path)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole, path = encode(made()), tmp_path / "t.npz"
    for cut in range(1, len(whole), 97):
        path.write_bytes(whole[:cut])
        with pytest.raises(DataError):
            read_table(path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeval.archive.LIMIT", 10**6)
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.npy", b"\0" * 5_000_000)
    with pytest.raises(DataError, match="unpacks to more than"):
        read_table(path)


def test_a_class_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", labels=LABELS, logits=LOGITS, class_names=np.array(["a", "b", "a"]))
    with pytest.raises(DataError, match=r"occurs twice in class_names \(seen: a\)"):
        read_table(tmp_path / "t.npz")

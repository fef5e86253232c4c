"""What travels: only files that belong in the results folder are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.errors import IntegrityError
from edgeval.store import Store
from edgeval.workflow import parcel


def test_what_is_mailed_is_written_and_what_is_gone_removed(tmp_path: Path) -> None:
    store, folder = Store(tmp_path), tmp_path / "artifacts/l/c4-s0"
    parcel.receive(store, {"artifacts/l/c4-s0/a.json": b"card", "artifacts/l/c4-s0/a": b"file"}, ())
    assert (folder / "a").read_bytes() == b"file"
    parcel.receive(store, {"predictions/t.npz": b"table"}, ("artifacts/l/c4-s0/a", "artifacts/l/c4-s0/never"))
    parcel.receive(store, {"shard-00001.npz": b"magnets"}, ())
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"a.json", "t.npz", "shard-00001.npz"}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "artifacts",
        "../x",
        "artifacts/../../x",
        "/etc/x",
        "shard-1.npz",
        "x/shard-00001.npz",
        "edgeval.json",
        "looks/x.json",
        "reports/x/y",
    ],
)
def test_files_that_belong_nowhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(IntegrityError, match="belongs nowhere"):
        parcel.receive(Store(tmp_path / "runs"), {name: b"data"}, ())
    with pytest.raises(IntegrityError, match="belongs nowhere"):
        parcel.receive(Store(tmp_path / "runs"), {}, (name,))
    assert not list(tmp_path.rglob("*"))

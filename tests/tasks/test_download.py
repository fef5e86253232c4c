"""Downloads against a real local server: whole, resumed, cut, wrong, refused."""

from __future__ import annotations

import hashlib
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeval.errors import DataError
from edgeval.tasks.download import fetch, md5_of

DATA = bytes(range(256)) * 20_000
MD5 = hashlib.md5(DATA, usedforsecurity=False).hexdigest()
Seen = list[tuple[int, int]]


@pytest.fixture
def site(tmp_path: Path, serve: Callable[[Path], str]) -> str:
    """Address of a server that has `file`."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "file").write_bytes(DATA)
    return serve(tmp_path / "site")


def get(url: str, path: Path, md5: str = MD5) -> Seen:
    """Fetch, and give what was reported."""
    seen: Seen = []
    fetch(url, path, md5=md5, progress=lambda done, total: seen.append((done, total)))
    return seen


def left(folder: Path) -> list[str]:
    """Names of the files that are in the folder now."""
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_a_whole_file_arrives_with_progress(site: str, tmp_path: Path) -> None:
    seen = get(f"{site}/file", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == DATA
    assert seen[0] == (1 << 20, len(DATA))
    assert seen[-1] == (len(DATA), len(DATA))
    assert left(tmp_path) == ["file"]


@pytest.mark.parametrize("have", [1, len(DATA) // 2, len(DATA) - 1])
def test_an_interrupted_download_goes_on(site: str, tmp_path: Path, have: int) -> None:
    (tmp_path / "file.part").write_bytes(DATA[:have])
    seen = get(f"{site}/file", tmp_path / "file")
    assert md5_of(tmp_path / "file") == MD5
    assert seen[0][0] == min(have + (1 << 20), len(DATA))
    assert seen[-1] == (len(DATA), len(DATA))


def test_a_complete_part_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(DATA)
    assert get("http://127.0.0.1:9/file", tmp_path / "file") == []
    assert left(tmp_path) == ["file"]


def test_a_server_that_cannot_resume_sends_all(site: str, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(b"x" * 1000)
    get(f"{site}/plain/file", tmp_path / "file")
    assert md5_of(tmp_path / "file") == MD5


def test_a_cut_connection_leaves_a_part_to_go_on_from(site: str, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match="cut"):
        get(f"{site}/cut/file", tmp_path / "file")
    assert left(tmp_path) == ["file.part"]
    get(f"{site}/file", tmp_path / "file")
    assert left(tmp_path) == ["file"]


@pytest.mark.parametrize("part", [b"", b"wrong beginning"])
def test_wrong_content_is_refused_and_removed(site: str, tmp_path: Path, part: bytes) -> None:
    (tmp_path / "file.part").write_bytes(part)
    with pytest.raises(DataError, match="md5"):
        get(f"{site}/file", tmp_path / "file", "0" * 32)
    assert left(tmp_path) == []


@pytest.mark.parametrize(("name", "part"), [("absent", b""), ("file", DATA + b"too long")])
def test_a_refusal_starts_anew_next_time(site: str, tmp_path: Path, name: str, part: bytes) -> None:
    (tmp_path / "file.part").write_bytes(part)
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{site}/{name}", tmp_path / "file")
    caught.value.close()
    assert left(tmp_path) == []

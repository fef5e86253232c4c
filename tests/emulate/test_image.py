"""The image: kept under the hash of its pins, and only a whole one counts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeval.emulate import pins, programs
from edgeval.emulate.board import Board
from edgeval.emulate.image import FILES, MANIFEST, _start_pip, build_image, cache, find_image
from edgeval.emulate.machine import Hardware
from edgeval.emulate.rootfs import byte_compile
from edgeval.errors import BenchError, CardError


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a finished image of today's pins."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache() / "images" / pins.image_key()
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_bytes(b"12345")
    (folder / MANIFEST).write_text(json.dumps({"sizes": dict.fromkeys(FILES, 5)}))
    return folder


def cut(folder: Path) -> None:
    (folder / "disk.img").write_bytes(b"123")


def lose(folder: Path) -> None:
    (folder / "vmlinuz").unlink()


def unfinished(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def garbled(folder: Path) -> None:
    (folder / MANIFEST).write_text('{"sizes": ')


def test_a_whole_image_is_used_again(made: Path) -> None:
    found = find_image()
    assert found is not None
    assert found.folder == made
    assert build_image(lambda done, total: None, print) == found


@pytest.mark.parametrize("harm", [cut, lose, unfinished, garbled])
def test_half_an_image_is_none(made: Path, harm: Callable[[Path], None]) -> None:
    harm(made)
    assert find_image() is None


def test_other_pins_are_another_image(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_image(wheels=False) is None
    monkeypatch.setattr(pins, "WHEELS", ("numpy==1.26.4",))
    assert find_image() is None


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("mmdebstrap", "fakeroot", "cpio", "mkfs.ext4"):
        (tmp_path / name).write_text("#!/bin/sh\necho E: no mirror >&2\nexit 25\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(programs, "PATH", f"{tmp_path}:{programs.PATH}")
    (cache() / "images" / "part-of-a-killed-build").mkdir(parents=True)
    with pytest.raises(BenchError, match=r"Debian packages failed .seen: exit status 25: E: no mirror"):
        build_image(lambda done, total: None, print, wheels=False)
    assert sorted(path.name for path in (cache() / "images").iterdir()) == ["build.log", "lock"]


def test_pip_is_pythons_own_and_none_that_lies_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.py").write_text("open('started', 'w')")
    site = tmp_path / "work" / "site"
    site.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pins, "WHEELS", ("--help",))
    assert _start_pip(site, tmp_path / "log").wait() == 0, (tmp_path / "log").read_text()
    assert not (tmp_path / "started").exists()


def test_byte_code_is_made_by_pythons_own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compileall.py").write_text("open('started', 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pins, "PYTHON", f"{sys.version_info.major}.{sys.version_info.minor}")
    for name in ("lib", "local/lib"):
        (tmp_path / f"root/usr/{name}/python{pins.PYTHON}").mkdir(parents=True)
    byte_compile(tmp_path / "root", tmp_path / "log")
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("name", ["../../../elsewhere", "/elsewhere", "a\n  ProxyCommand touch started", "", "-x"])
def test_a_board_has_a_plain_name_for_it_names_a_folder_that_is_removed(name: str) -> None:
    with pytest.raises(CardError, match="plain name"):
        Board(name, Hardware("max", 1, 256))


def test_what_others_can_write_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    board = Board("lab", Hardware("max", 1, 256))
    assert board.running is None
    cache().mkdir(parents=True)
    assert board.running is None
    cache().chmod(0o777)
    with pytest.raises(BenchError, match=r"others can write .*XDG_CACHE_HOME"):
        board.stop()

"""This computer as a host."""

from __future__ import annotations

import io
import os
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from edgeval.errors import BenchError, InputError, UnreachableError
from edgeval.run.agentfile import agent_bytes
from edgeval.run.host import Host, LocalHost

CHATTY = "import sys; sys.stdout.write('out'); sys.stderr.write('x' * 5000 + 'the end'); sys.exit(3)"


def test_the_temporary_folder_is_private_and_goes_away() -> None:
    with LocalHost() as host:
        place = Path(host.put(b"data", "a.bin"))
        assert stat.S_IMODE(host.workdir.stat().st_mode) == 0o700
        assert host.get(str(place)) == b"data"
    assert not place.exists()


def test_the_same_content_is_placed_once(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"data")
    host: Host = LocalHost(tmp_path / "work")
    first = Path(host.put(source, "a.bin"))
    written = first.stat().st_mtime_ns
    assert Path(host.put(b"data", "a.bin")) == first
    assert first.stat().st_mtime_ns == written
    assert host.put(b"other", "a.bin") != str(first)


def test_a_damaged_file_is_placed_again(tmp_path: Path) -> None:
    host = LocalHost(tmp_path)
    Path(host.put(b"data", "a.bin")).write_bytes(b"da")
    assert host.get(host.put(b"data", "a.bin")) == b"data"


def test_a_source_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no-such"):
        LocalHost(tmp_path / "work").put(tmp_path / "no-such", "a.bin")


@pytest.mark.parametrize("name", ["../a", "a/b", "", "a b"])
def test_names_are_plain(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="plain name"):
        LocalHost(tmp_path).put(b"", name)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="no-such"):
        LocalHost(tmp_path).get(str(tmp_path / "no-such"))


def test_a_process_gives_output_status_and_last_words(host: LocalHost) -> None:
    with host.run([host.python, "-c", CHATTY]) as process:
        assert process.stdout.read() == b"out"
        assert process.wait() == 3
        tail = process.stderr_tail()
    assert tail.endswith("the end")
    assert len(tail) == 2000


def test_leaving_ends_a_process_that_does_not_listen(host: LocalHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeval.run.host.GRACE_S", 0.2)
    stubborn = "import os, time; print(os.getpid(), flush=True); time.sleep(100)"
    with host.run([sys.executable, "-c", stubborn]) as process:
        pid = int(process.stdout.readline())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_agent_is_the_same_bytes_every_time_and_stands_alone() -> None:
    first = agent_bytes()
    agent_bytes.cache_clear()
    assert agent_bytes() == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert "__main__.py" in texts
    assert not [name for name, text in texts.items() if "import edgeval" in text or "from edgeval" in text]

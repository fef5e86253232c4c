"""Programs that the board needs: what is missing is named with the one command that installs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.emulate import programs
from edgeval.errors import BenchError, RuntimeMissing

NEEDS = [
    (("cpio",), "apt-get install -y --no-install-recommends cpio"),
    (("mkfs.ext4", "fakeroot"), "recommends e2fsprogs fakeroot"),
    (("ssh", "ssh-keygen", "qemu-system-aarch64"), "recommends openssh-client qemu-system-arm"),
    (("mmdebstrap",), "recommends debian-archive-keyring mmdebstrap"),
]


@pytest.mark.parametrize(("names", "command"), NEEDS)
def test_one_command_installs_all_that_is_missing(
    names: tuple[str, ...], command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(programs, "PATH", str(tmp_path))
    with pytest.raises(RuntimeMissing, match="programs that the emulated board needs are missing") as caught:
        programs.require(names)
    assert command in caught.value.hint
    assert caught.value.exit_code == 4
    assert caught.value.seen == ", ".join(names)


def test_what_is_there_is_not_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cpio").touch(mode=0o755)
    monkeypatch.setattr(programs, "PATH", str(tmp_path))
    programs.require(["cpio"])
    with pytest.raises(RuntimeMissing, match="seen: fakeroot"):
        programs.require(["cpio", "fakeroot"])


def test_a_program_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(BenchError, match=r"the work failed .seen: exit status 7: no space.*log"):
        programs.run(["sh", "-c", "echo fine; echo 'no space' >&2; exit 7"], log, "the work")
    assert programs.tail(log, 2) == "fine\nno space"
    assert programs.tail(tmp_path / "none", 2) == "nothing"

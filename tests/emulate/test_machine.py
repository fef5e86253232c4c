"""qemu's words: what a board may reach, what its disk forgets, and the virtual clock that counts."""

from __future__ import annotations

from pathlib import Path

from edgeval.emulate.image import Image
from edgeval.emulate.machine import Hardware, command, free_port

PI4 = Hardware("cortex-a72", 4, 1024)


def words(hardware: Hardware, folder: str = "/images/x") -> str:
    return " ".join(str(word) for word in command(Image(Path(folder)), Path("/b/initrd.cpio"), hardware, 2222))


def test_a_board_reaches_nothing_and_is_reached_from_this_computer_only() -> None:
    said = words(PI4)
    assert "-netdev user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:2222-:22" in said
    assert "snapshot=on" in said
    assert "-cpu cortex-a72 -smp 4 -m 1024" in said
    assert "-icount" not in said


def test_a_counting_board_has_one_core_and_a_clock_of_instructions() -> None:
    said = words(Hardware("cortex-a72", 4, 1024, counting=True))
    assert "-smp 1" in said
    assert "-icount shift=0" in said
    assert "norandmaps" in said


def test_a_comma_in_a_path_is_no_option_of_qemu() -> None:
    assert "file=/a,,readonly=on/disk.img" in words(PI4, "/a,readonly=on")


def test_a_free_port_is_a_port() -> None:
    assert 1024 <= free_port() <= 65_535

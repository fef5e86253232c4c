"""A real boot: a true Arm board that only its own key opens, that reaches nothing, and that forgets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeval.emulate import board as boards
from edgeval.emulate import pins
from edgeval.emulate.board import Board
from edgeval.errors import UnreachableError
from edgeval.workflow.bench import open_bench

Typed = Callable[[str], str]


@pytest.fixture
def typed(board: Board) -> Typed:
    """Run a line of shell on the board; what it prints."""

    def run(line: str) -> str:
        login = board.login
        assert login is not None
        done = subprocess.run(login.ssh(line), capture_output=True, text=True, check=False, timeout=120)
        return done.stdout if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}"

    return run


def test_it_is_a_true_arm_debian(typed: Typed) -> None:
    said = typed("uname -m; cat /proc/cpuinfo /etc/debian_version; id -un")
    assert said.startswith("aarch64\n")
    assert "0xd08" in said  # the part number of a Cortex-A72
    assert "\n12." in said
    assert said.endswith("pi\n")


def test_facts_name_the_pinned_runtimes(board: Board, card: Path) -> None:
    with open_bench(str(card)) as bench:
        known = {**bench.facts["runtimes"], "numpy": bench.facts["numpy"]}
        assert bench.facts["machine"] == "aarch64"
    wanted = dict(wheel.split("==") for wheel in pins.WHEELS)
    assert known == {"litert": wanted["ai-edge-litert"], "onnxruntime": wanted["onnxruntime"], "numpy": wanted["numpy"]}
    assert (bench.origin, bench.target.transport.type) == ("emulated", "emulated")
    assert (bench.fidelity or "").startswith("bit-exact")


def test_it_reaches_nothing(typed: Typed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert typed(f"timeout 5 bash -c '</dev/tcp/10.0.2.2/{port}' || echo no way").endswith("no way\n")


def test_keys_are_private_and_another_board_is_refused(board: Board, tmp_path: Path) -> None:
    private = [board.home, board.home / "id_ed25519", board.home / "host_key", board.home / "initrd.cpio"]
    assert [path.stat().st_mode & 0o077 for path in private] == [0, 0, 0, 0]
    login = board.login
    assert login is not None
    known, another = board.folder / "known_hosts", tmp_path / "known_hosts"
    mine = (board.home / "id_ed25519.pub").read_text().split()[1]  # a key that is not the board's
    another.write_text(f"{known.read_text().split()[0]} ssh-ed25519 {mine}\n")
    config = tmp_path / "ssh_config"
    config.write_text(login.config.read_text().replace(str(known), str(another)))
    done = subprocess.run(replace(login, config=config).ssh("true"), capture_output=True, text=True, check=False)
    assert done.returncode == 255
    assert "HOST IDENTIFICATION HAS CHANGED" in done.stderr


def test_a_second_start_finds_it_running(board: Board) -> None:
    before = board.running
    assert before is not None
    board.start(lambda text: None)
    assert board.running == before


def test_power_cut_and_a_clean_disk(created: Board) -> None:
    other = Board(f"{created.name}-2", replace(created.hardware, cores=1, memory_mb=512))
    other.create(lambda done, total: None, lambda text: None)
    try:
        login = other.keep(lambda text: None)
        subprocess.run(login.ssh("echo kept >note; sync"), check=True, timeout=60)
        running = other.running
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        while running.alive:
            pass
        assert other.login is None
        login = other.start(lambda text: None)
        found = subprocess.run(login.ssh("cat note; free -m"), capture_output=True, text=True, check=False, timeout=60)
        assert "No such file" in found.stderr
        assert 400 < int(found.stdout.split("Mem:")[1].split()[0]) < 512
    finally:
        assert other.stop()
        other.remove()
    assert created.image is not None  # other boards keep it


def test_a_board_that_does_not_come_up_shows_its_serial_log(created: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "BOOT_LIMIT_S", 2.0)
    other = Board(f"{created.name}-3", replace(created.hardware, cores=1, memory_mb=64))  # too little for the kernel
    other.create(lambda done, total: None, lambda text: None)
    said: list[str] = []
    try:
        with pytest.raises(UnreachableError, match=r"edgeval-test-board-\w+-3: .*serial\.log") as caught:
            other.start(said.append)
        assert "--rebuild" in caught.value.hint
        assert str(other.folder / "serial.log") in said[-1]
        assert other.running is None
    finally:
        other.remove()

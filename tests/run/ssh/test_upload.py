"""What lies on a device: one closed folder, nothing sent twice, nothing left half."""

from __future__ import annotations

import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.errors import BenchError
from edgeval.run.ssh import SshHost
from edgeval.run.ssh.upload import Packing, deflated, pixels
from tests.run.ssh.ssh_lab import Listener
from tests.sshd import Board, Proxy


def test_everything_lies_in_one_closed_folder_and_nothing_is_sent_twice(board: Board, tmp_path: Path) -> None:
    data = np.random.default_rng(1).bytes(300_000)
    with SshHost(board.target()) as host:
        first = Path(host.put(data, "a.bin"))
        assert (host.sent, first.parent) == (300_000, board.home / ".cache" / "edgeval-device")
    with SshHost(board.target()) as host:
        assert Path(host.put(data, "a.bin")) == first
        assert host.sent == 0
        first.write_bytes(b"damaged")
    with SshHost(board.target()) as host:
        assert host.get(host.put(data, "a.bin")) == data
    assert stat.S_IMODE(first.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert [path.name for path in board.home.iterdir()] == [".cache"]


def test_an_upload_that_was_cut_goes_on_where_it_was(board: Board) -> None:
    data, listener = np.random.default_rng(1).bytes(400_000), Listener()
    with Proxy(board.port) as proxy:
        board.write_config(proxy.port)
        with SshHost(board.target(), listener) as host:
            proxy.passed, proxy.cut_at = 0, [200_000]
            assert host.get(host.put(data, "a.bin")) == data
            assert not proxy.cut_at
            assert host.sent < 500_000
    assert any("trying again" in line for line in listener.said)


def test_a_wrong_beginning_is_thrown_away(board: Board) -> None:
    data = np.random.default_rng(1).bytes(100_000)
    with SshHost(board.target()) as host:
        place = Path(host.put(data, "a.bin"))
        place.unlink()
        place.with_name(f"part-{place.name}").write_bytes(b"x" * 50_000)
        host._there.clear()
        assert host.get(host.put(data, "a.bin")) == data
        assert not list(place.parent.glob("part-*"))


def test_a_slow_link_is_measured_shown_and_packed_for(board: Board) -> None:
    data, listener = b"the same again and again " * 40_000, Listener()
    with Proxy(board.port, rate=400_000) as proxy:
        board.write_config(proxy.port)
        with SshHost(board.target(), listener) as host:
            assert host.get(host.put(data, "a.bin")) == data
            assert host.sent < len(data) / 2
    steps = listener.bars["send a.bin to board kB"]
    assert len(steps) > 10
    assert steps[-1] == (1000, 1000)
    assert steps == sorted(steps)


def test_two_runs_may_send_the_same_file_at_once(board: Board) -> None:
    data, listener = np.random.default_rng(1).bytes(600_000), Listener()
    with Proxy(board.port, rate=600_000) as proxy:
        board.write_config(proxy.port)
        with SshHost(board.target(), listener) as one, SshHost(board.target(), listener) as two:
            with ThreadPoolExecutor() as pool:
                places = list(pool.map(lambda host: host.put(data, "a.bin"), (one, two)))
            assert places[0] == places[1]
            assert one.get(places[0]) == data
    assert any("another run is sending the same file" in line for line in listener.said)


def test_too_little_space_is_said_before_anything_is_sent(board: Board) -> None:
    with SshHost(board.target()) as host, pytest.raises(BenchError, match=r"too little space on board .*devices clean"):
        host.link.ask({"do": "have", "name": "a", "sha256": "0" * 64, "size": 1 << 60})


def test_a_disk_that_fills_up_on_the_way_is_said(board: Board, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        with SshHost(board.target(workdir=f"{disk}/edgeval")) as host:
            host.link.ask({"do": "have", "name": "a", "sha256": "0" * 64, "size": 1_000_000})
            (disk / "others").write_bytes(b"x" * 2_900_000)
            with pytest.raises(BenchError, match="disk of board is full"):
                host._send(_parcel(b"x" * 1_000_000))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _parcel(data: bytes) -> Any:
    from edgeval.run.ssh.host import Parcel

    return Parcel(data, "a.bin", "0" * 64, len(data))


@pytest.mark.parametrize("packing", [deflated, pixels])
def test_blocks_are_packed_and_unpacked_alike(packing: Packing) -> None:
    from edgeval.run.agent import porter

    for block in (b"", b"abc" * 5000, np.random.default_rng(1).bytes(1 << 14)):
        assert porter._unpacked(*packing(block)) == block
    bomb = packing(b"x" * (porter.BLOCK_MAX * 3))
    assert len(porter._unpacked(*bomb)) == porter.BLOCK_MAX

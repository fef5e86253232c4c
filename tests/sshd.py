"""A real sshd on loopback with keys of its own, and a proxy before it that delays, limits and cuts."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edgeval.records.target import Target, Transport

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass
class Board:
    """An ssh server that stands for a device: its home, its port, and the client's configuration and key."""

    home: Path
    folder: Path
    port: int
    server: subprocess.Popen[bytes]

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def target(self, **transport: Any) -> Target:
        words = {"type": "ssh", "host": "board", "python": sys.executable, "connect_timeout_s": 5} | transport
        return Target(schema="edgeval/device/1", name="board", transport=Transport(**words))

    def card(self, path: Path, **transport: Any) -> Path:
        """The same as a file."""
        words = self.target(**transport).transport.model_dump(exclude_none=True)
        lines = [f"{key} = {value!r}".replace("'", '"') for key, value in words.items()]
        head = f'schema = "edgeval/device/1"\nname = "{path.stem}"\n[transport]\n'
        path.write_text(head + "\n".join(lines) + "\n")
        return path

    def known(self, port: int) -> str:
        """The line that known_hosts needs for this server at a port."""
        key = (self.folder / "host_key.pub").read_text().split()
        return f"[127.0.0.1]:{port} {key[0]} {key[1]}\n"

    def write_config(self, port: int) -> None:
        """The client's configuration, whose alias `board` leads to a port."""
        self.known_hosts.write_text(self.known(port))
        (self.folder / "config").write_text(
            f"Host board elsewhere\n  HostName 127.0.0.1\n  User {getpass.getuser()}\n"
            f"Host board\n  Port {port}\n"
            f"Host *\n  IdentityFile {self.folder}/user_key\n  IdentitiesOnly yes\n  IdentityAgent none\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  GlobalKnownHostsFile /dev/null\n"
        )


def start_board(folder: Path, more: str = "") -> Board:
    """Start the server, with more lines of configuration; skips where there is none."""
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("there is no sshd on this machine (openssh-server)")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
    home = folder / "home"
    home.mkdir()
    port = free_port()
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPermitRootLogin prohibit-password\nUseDNS no\n"
        f"PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 200\nSetEnv HOME={home}\n{more}\n"
    )
    words = [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")]
    with (folder / "sshd.log").open("wb") as log:
        server = subprocess.Popen(words, stderr=log, stdin=subprocess.DEVNULL)
    board = Board(home, folder, port, server)
    board.write_config(port)
    wait_for_port(port)
    return board


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("sshd does not listen")


@dataclass
class Proxy:
    """A TCP proxy on loopback: bytes a second at most, seconds of delay, and cuts on demand or after so many bytes."""

    to: int
    rate: float | None = None
    delay: float = 0.0
    refuse: bool = False
    silent: bool = False
    port: int = 0
    passed: int = 0
    cut_at: list[int] = field(default_factory=list)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def __enter__(self) -> Proxy:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def cut(self) -> None:
        """Break every connection that goes through."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(self._cut, done)
        assert done.wait(10)

    def _cut(self, done: threading.Event) -> None:
        for writer in list(self._writers):
            writer.transport.abort()
        done.set()

    def _serve(self, ready: threading.Event) -> None:
        self._end = asyncio.Event()

        async def serve() -> None:
            server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await self._end.wait()
            server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._loop.run_until_complete(serve())
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.to)
        self._writers |= {writer, there_writer}
        try:
            await asyncio.gather(self._pass(reader, there_writer), self._pass(there_reader, writer))
        finally:
            self._writers -= {writer, there_writer}
            for one in (writer, there_writer):
                one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 14):
                if self.delay or self.rate:
                    await asyncio.sleep(self.delay + (len(data) / self.rate if self.rate else 0))
                while self.silent:
                    await asyncio.sleep(0.05)
                self.passed += len(data)
                if self.cut_at and self.passed >= self.cut_at[0]:
                    self.passed = 0
                    self.cut_at.pop(0)
                    self._cut(threading.Event())
                    return
                writer.write(data)
                await writer.drain()
            writer.close()

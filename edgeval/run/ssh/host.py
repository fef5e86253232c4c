"""A device over ssh as a host: put, run, get."""

from __future__ import annotations

import io
import os
import re
import secrets
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from edgeval.errors import BenchError, InputError, IntegrityError, LinkLost
from edgeval.records.reporter import Reporter, Silent
from edgeval.records.target import Target
from edgeval.run.host import content_sha256
from edgeval.run.intake import harmless
from edgeval.run.patience import Patience
from edgeval.run.ssh.faults import porter_error
from edgeval.run.ssh.link import IDLE_S, Link
from edgeval.run.ssh.session import Session, take_exactly, whole
from edgeval.run.ssh.upload import Packing, deflated, pixels, send
from edgeval.run.ssh.words import check

WAIT_S = 300  # for another run on the device to end
SHOWN = 500_000  # bytes from which progress is shown
GET_MAX = 1 << 28


@dataclass
class Parcel:
    """A file to be sent, and how much of it is known to be on the device."""

    source: Path | bytes
    name: str
    sha256: str
    size: int
    at: int = 0
    packing: Packing = deflated

    @property
    def words(self) -> dict[str, Any]:
        """How the porter is told of it."""
        return {"name": self.name, "sha256": self.sha256, "size": self.size}


class SshHost:
    """A device over ssh. `sent` counts the bytes of files that went over the link, without ssh's own."""

    def __init__(self, target: Target, reporter: Reporter | None = None, *, wait_s: float = WAIT_S) -> None:
        check(target)
        self.target, self.reporter, self.wait_s = target, reporter or Silent(), wait_s
        self.python = target.transport.python
        self.sent = self.files = 0
        self.token = secrets.token_hex(8)
        self._there: dict[str, str] = {}
        self.link = Link(target)

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self.link.close)
            self.connect()
            undo.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.link.close()
        if self.files:
            all_there = "" if self.sent else ", all files were there"
            self.reporter.say(f"{self.target.name}: sent {_size(self.sent)}{all_there}")

    def connect(self) -> None:
        """Connect where that is needed; what is known to be there is asked for again after that."""
        if self.link.ensure():
            self._there.clear()

    def put(self, source: Path | bytes, name: str) -> str:
        """Send a file to `<hash>-<name>` unless it is there; an upload that was cut goes on where it was."""
        if not re.fullmatch(r"[\w.-]+", name):
            raise InputError("a file on the device needs a plain name", seen=name)
        self.connect()
        self.files += 1
        try:
            sha256 = content_sha256(source)
            if f"{sha256}-{name}" not in self._there:
                self._there[f"{sha256}-{name}"] = self._persist(source, name, sha256)
        except OSError as error:
            raise BenchError("a file cannot be placed for the run", seen=error, hint="check the disk") from error
        return self._there[f"{sha256}-{name}"]

    def run(self, argv: Sequence[str], *, alone: bool = False) -> SshProcess:
        """Start a program; with `alone` once no other run on the device does, which is waited for some minutes."""
        self.connect()
        request = {"do": "run", "argv": list(argv), "alone": alone, **self._claim()}
        process = SshProcess(self.link, self.link.start(request, alive=True))
        with ExitStack() as undo:
            undo.push(process)
            reply = self.link.answer(process.session, self.wait_s + IDLE_S)
            until = time.monotonic() + self.wait_s + IDLE_S
            while "waiting" in reply and time.monotonic() < until:
                holder = harmless(str(reply["waiting"]))
                self.reporter.say(f"{self.target.name} is in use by {holder}; waiting up to {self.wait_s:g} s")
                reply = self.link.answer(process.session, self.wait_s + IDLE_S)
            if "started" not in reply:
                raise porter_error(self.target, {"error": "busy", "seen": harmless(str(reply))})
            undo.pop_all()
        return process

    def get(self, path: str) -> bytes:
        """Raises UnreachableError if the file cannot be read."""
        self.connect()
        with self.link.start({"do": "get", "path": path, "most": GET_MAX}, alive=True) as session:
            try:
                data = take_exactly(session.stdout, whole(self.link.answer(session), "size", GET_MAX))
            finally:
                self.link.release(session)
            if data is None:
                raise self.link.lost(session.stderr_tail())
        return data

    def clean(self, *, dry: bool) -> dict[str, Any]:
        """Remove all that is ours on the device, or with `dry` only count it."""
        found = self.link.ask({"do": "clean", "dry": dry} | self._claim() | {"wait_s": 0})
        counts = {key: whole(found, key, 1 << 60) for key in ("files", "bytes", "left")}
        return {"folder": harmless(str(found.get("folder"))), **counts}

    def _claim(self) -> dict[str, Any]:
        """What the lock on the device says of its holder."""
        user = os.environ.get("USER") or os.environ.get("LOGNAME") or str(os.getuid())
        who = f"{user}@{socket.gethostname()} (process {os.getpid()})"
        return {"who": who, "token": self.token, "wait_s": self.wait_s}

    def _persist(self, source: Path | bytes, name: str, sha256: str) -> str:
        """Place a file however often the link breaks, as long as something arrives now and then."""
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        parcel = Parcel(source, name, sha256, size)
        patience, furthest = Patience(self.reporter.say), 0
        while True:
            try:
                return self._bring(parcel)
            except LinkLost as error:
                if parcel.at > furthest:
                    furthest = parcel.at
                    patience.moved()
                patience.after(error)

    def _bring(self, parcel: Parcel) -> str:
        """See what is there, and send the rest; from the start again where what was there is wrong."""
        while True:
            found = self.link.ask({"do": "have", **parcel.words})
            if found.get("there") is not True:
                parcel.at = begun = whole(found, "at", parcel.size)
                parcel.packing = pixels if found.get("lzma") is True else deflated
                try:
                    self._send(parcel)
                except IntegrityError:
                    if begun:
                        continue  # the device threw the first part away
                    raise
            return str(found.get("path"))

    def _send(self, parcel: Parcel) -> None:
        reporter = self.reporter if parcel.size >= SHOWN else Silent()
        bar = reporter.bar(f"send {parcel.name} to {self.target.name}", "kB")

        def arrived(reply: dict[str, Any], sent: int) -> None:
            self.sent += sent
            parcel.at = whole(reply, "at", parcel.size)
            bar(parcel.at // 1000, parcel.size // 1000)

        with (
            _opened(parcel.source) as file,
            self.link.start({"do": "take", "at": parcel.at, **parcel.words}) as session,
        ):
            file.seek(parcel.at)
            send(file, session.write, lambda: self.link.answer(session), arrived, packing=parcel.packing)


class SshProcess:
    """A program on a device."""

    def __init__(self, link: Link, session: Session) -> None:
        self._link, self.session = link, session

    @property
    def stdout(self) -> IO[bytes]:
        return self.session.stdout

    def wait(self) -> int:
        """The exit status there. Raises LinkLost."""
        status = self.session.wait()
        if status == 255 and not self._link.alive():
            raise self._link.lost(self.stderr_tail())
        return status

    def stderr_tail(self) -> str:
        return self.session.stderr_tail()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._link.release(self.session)
        self.session.__exit__(kind, error, at)


def _opened(source: Path | bytes) -> IO[bytes]:
    """A file, or bytes as one."""
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _size(count: int) -> str:
    """Bytes as people say them."""
    return f"{count} bytes" if count < 1000 else f"{count / 1e3:.1f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"

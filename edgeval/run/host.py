"""The seam to the place where models run: put a file, run a program, get a file; and this computer as such a place."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from edgeval.errors import BenchError, InputError, RuntimeMissing, UnreachableError

GRACE_S = 5.0


class Process(Protocol):
    """A program that runs on a host; leaving the `with` block ends it and all that it started."""

    @property
    def stdout(self) -> IO[bytes]: ...

    def wait(self) -> int:
        """The exit status once it has ended. Raises UnreachableError if the link to it is gone."""

    def stderr_tail(self) -> str:
        """The end of what it wrote to standard error."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


class Host(Protocol):
    """A place where models run. `python` is the name or path of its Python.

    Its standard input is held open while a process runs: a program there can tell that this side is gone.
    """

    @property
    def python(self) -> str: ...

    def put(self, source: Path | bytes, name: str) -> str:
        """Place a file and return its path there. Kept under its content hash: nothing is sent twice."""

    def run(self, argv: Sequence[str], *, alone: bool = False) -> Process:
        """Start a program, without a shell; with `alone` once no other such program runs on that device.

        Raises RuntimeMissing, UnreachableError, or BenchError where the device stays in use.
        """

    def get(self, path: str) -> bytes:
        """The bytes of a file there."""


class LocalHost:
    """This computer. Files go to `workdir`, or to a private temporary folder that is removed on leaving `with`."""

    def __init__(self, workdir: Path | None = None, python: str = sys.executable) -> None:
        self.python = python
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if workdir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="edgeval-")
            workdir = Path(self._temporary.name)
        self.workdir = workdir.absolute()
        self.workdir.mkdir(mode=0o700, parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._temporary:
            self._temporary.cleanup()

    def put(self, source: Path | bytes, name: str) -> str:
        """Copy to `<hash>-<name>`, unless it is there. Raises BenchError if it cannot be read or written."""
        if not re.fullmatch(r"[\w.-]+", name):
            raise InputError("a file on the device needs a plain name", seen=name)
        try:
            digest = content_sha256(source)
            place = self.workdir / f"{digest[:32]}-{name}"
            if not (place.is_file() and content_sha256(place) == digest):
                _copy(source, place)
        except OSError as error:
            seen = f"{error.strerror or error}: {error.filename or self.workdir}"
            hint = f"free some space in {self.workdir}, or set TMPDIR to another folder"
            raise BenchError("a file cannot be placed for the run", seen=seen, hint=hint) from error
        return str(place)

    def run(self, argv: Sequence[str], *, alone: bool = False) -> LocalProcess:
        """Start a program in a session of its own: a Ctrl-C at the terminal reaches only this side, which ends it.

        The folder is this host's own, so that `alone` holds anyway.
        """
        try:
            return LocalProcess(argv)
        except (FileNotFoundError, PermissionError) as error:
            hint = "check python in the card's [transport] table"
            raise RuntimeMissing("the program cannot be started", seen=argv[0], hint=hint) from error

    def get(self, path: str) -> bytes:
        """Raises UnreachableError if the file cannot be read."""
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise UnreachableError("a file of the run cannot be read", seen=error, hint="run it again") from error


class LocalProcess:
    """A child process with its own session."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        try:
            self._child = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,
            )
        except OSError:
            self._errors.close()
            raise

    @property
    def stdout(self) -> IO[bytes]:
        assert self._child.stdout is not None  # opened as a pipe above
        return self._child.stdout

    def wait(self) -> int:
        return self._child.wait()

    def stderr_tail(self) -> str:
        """The last 2,000 bytes."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 2000))
        return self._errors.read().decode("utf-8", "replace").strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the pipes, which ends the agent; what does not end by that is killed with its whole session."""
        self.stdout.close()
        if self._child.stdin:
            with contextlib.suppress(BrokenPipeError):  # of bytes that were still to be sent
                self._child.stdin.close()
        try:
            self._child.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
        self._errors.close()


def content_sha256(source: Path | bytes) -> str:
    """sha256 of a file or of bytes."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(source: Path | bytes, place: Path) -> None:
    """Write elsewhere, then rename: a killed copy leaves nothing that looks whole."""
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        part = Path(folder) / "part"
        if isinstance(source, bytes):
            part.write_bytes(source)
        else:
            shutil.copyfile(source, part)
        part.replace(place)

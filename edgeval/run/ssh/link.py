"""The connection that all requests to one device share; it is made again when it broke."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from edgeval.errors import EdgevalError, LinkLost, RuntimeMissing
from edgeval.records.target import Target
from edgeval.run.ssh.faults import lasting, no_python, porter_error, refused
from edgeval.run.ssh.session import Pulse, Session
from edgeval.run.ssh.words import options, remote

FOLDER = "~/.cache/edgeval-device"
IDLE_S = 30  # after so long without a sign of life the device ends what runs
START_S = 45.0  # for a login shell and a Python to start on a slow board
REPLY_S = 660.0  # for hashing a large file on a slow card
CHECK_S = 10.0  # for the near end of the connection to speak
SOCKET_MAX = 80  # of about 104 bytes that a socket's path may have; ssh adds 17 to it for a moment
BROKE = 255  # ssh's own exit status


class Link:
    """One ssh connection to a target. Its session on the device keeps it open and ends with this process."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.hello: dict[str, Any] = {}
        self._ever = False
        self._master: Session | None = None
        self._pulse = Pulse()
        self._place = _private_folder()

    def ensure(self) -> bool:
        """Connect where that is needed; True if the connection is new. Raises UnreachableError, RuntimeMissing."""
        if self._master is not None and self._master.running():
            return False
        self._drop()
        request = {"do": "open", "folder": self.target.transport.workdir or FOLDER, "idle_s": IDLE_S}
        master = self._session(["-oControlMaster=yes"], request)
        reply = master.reply(self.target.transport.connect_timeout_s + START_S)
        if reply is None or not isinstance(reply.get("folder"), str):
            with master:
                raise self._not_open(master, reply)
        self._master, self.hello, self._ever = master, reply, True
        self._pulse.add(master)
        return True

    def start(self, request: dict[str, Any], *, alive: bool = False) -> Session:
        """Send a request; with `alive` its standard input carries signs of life and nothing else."""
        self.ensure()
        words = {"folder": self.hello["folder"], "idle_s": IDLE_S} | request
        session = self._session(["-oControlMaster=no"], words)
        if alive:
            self._pulse.add(session)
        return session

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The one reply to a request. Raises what the porter refused, and LinkLost."""
        with self.start(request, alive=True) as session:
            try:
                return self.answer(session)
            finally:
                self._pulse.remove(session)

    def answer(self, session: Session, within_s: float = REPLY_S) -> dict[str, Any]:
        """The next reply of a session. Raises what the porter refused, and LinkLost."""
        reply = session.reply(within_s)
        if reply is None:
            raise self.why(session)
        if "error" in reply:
            raise porter_error(self.target, reply)
        return reply

    def release(self, session: Session) -> None:
        """No more signs of life for this session."""
        self._pulse.remove(session)

    def why(self, session: Session) -> EdgevalError:
        """The error for a session that ended without its reply."""
        status, complaint = session.wait(), session.stderr_tail()
        if session.timed_out or (status == BROKE and not self.alive()):
            return self.lost(complaint)
        return no_python(self.target, status, complaint)

    def lost(self, complaint: str = "") -> LinkLost:
        """The error for a connection that broke."""
        hint = "what was saved is kept: run the same command to go on"
        return LinkLost(f"the connection to {self.target.name} broke off", seen=complaint or None, hint=hint)

    def alive(self) -> bool:
        """Whether the shared connection stands; what is dead is found after some seconds."""
        words = ["ssh", *self._control(), "-O", "check", "--", self.target.transport.host or ""]
        try:
            done = subprocess.run(words, capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=CHECK_S)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def close(self) -> None:
        """End the connection and what it left on this side."""
        self._pulse.stop()
        self._drop()
        shutil.rmtree(self._place, ignore_errors=True)

    def _drop(self) -> None:
        if self._master is not None:
            self._pulse.remove(self._master)
            with self._master:
                pass
            self._master = None
        (self._place / "s").unlink(missing_ok=True)

    def _control(self) -> list[str]:
        return ["-S", str(self._place / "s"), *options(self.target.transport)]

    def _session(self, role: list[str], request: dict[str, Any]) -> Session:
        transport = self.target.transport
        command = remote(transport.python, request)
        try:
            return Session(["ssh", *role, *self._control(), "--", transport.host or "", command])
        except FileNotFoundError as error:
            hint = "sudo apt install openssh-client"
            raise RuntimeMissing("there is no ssh on this computer", seen="ssh", hint=hint) from error

    def _not_open(self, master: Session, reply: dict[str, Any] | None) -> EdgevalError:
        """Why the connection was not made, or why what lies behind it cannot be used."""
        if reply is not None:
            return porter_error(self.target, reply)
        status, complaint = master.wait(), master.stderr_tail()
        if status != BROKE and not master.timed_out:
            return no_python(self.target, status, complaint)
        if self._ever and not lasting(complaint):
            return self.lost(complaint)
        return refused(self.target, "timed out: no reply" if master.timed_out else complaint)


def _private_folder() -> Path:
    """A folder of one's own whose path is short enough for a socket."""
    place = Path(tempfile.mkdtemp(prefix="edgeval-"))
    if len(os.fsencode(place)) > SOCKET_MAX:
        place.rmdir()
        place = Path(tempfile.mkdtemp(prefix="edgeval-", dir="/tmp"))  # mkdtemp makes it private
    return place

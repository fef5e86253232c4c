"""Programs that end with the link, one at a time on a device where that is asked for."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time

from .replies import Refusal, Words, reply

LOCK = ".lock"


def run(request: Words) -> int:
    """Run a program in a session of its own until it ends, or until the host is gone or silent."""
    argv = [os.path.expanduser(request["argv"][0]), *request["argv"][1:]]
    if shutil.which(argv[0]) is None:
        raise Refusal("start", argv[0])
    held = lock(request, request["folder"]) if request["alone"] else None
    signal.alarm(0)  # from here on the loop below looks at the clock
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    reply({"started": os.getpid()})
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, start_new_session=True)
    try:
        _watch(child, woken, request["idle_s"])
        status = child.poll()
        return 1 if status is None else 128 - status if status < 0 else status
    finally:
        _end(child)
        if held is not None:
            os.close(held)


def _watch(child: "subprocess.Popen[bytes]", woken: int, idle_s: int) -> None:
    """Return when the program has ended, the host closed an end of the link, or no byte came for `idle_s`."""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(1, 0)  # only its breaking is reported
    poll.register(woken, select.POLLIN)
    last = time.monotonic()
    while child.poll() is None and time.monotonic() - last < idle_s:
        for fd, _ in poll.poll(1000 * idle_s):
            if fd == 1 or (fd == 0 and not os.read(0, 1024)):
                return
            if fd == 0:
                last = time.monotonic()
            if fd == woken:
                os.read(woken, 1024)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Let the program see that its input is closed, then end its whole session."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # this must come to its end
    assert child.stdin is not None
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        child.stdin.close()
        child.wait(0.5)
    with contextlib.suppress(OSError):  # nothing may be left of it
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def lock(request: Words, folder: str) -> int:
    """Hold the device's lock, waiting for it while the host is told who has it. The descriptor that holds it."""
    held = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until, told = time.monotonic() + request["wait_s"], None
    while not _try_lock(held):
        holder = _holder(held)
        if holder.get("token") == request["token"]:
            _take_over(holder)  # the same host, before its link was cut
        elif time.monotonic() >= until:
            raise Refusal("busy", _describe(holder))
        elif told != holder:
            told = holder
            reply({"waiting": _describe(holder)})
        _listen(0.2, request["idle_s"])
    words = {key: request[key] for key in ("who", "token")}
    text = json.dumps(dict(words, pid=os.getpid(), since=time.monotonic()))
    with contextlib.suppress(OSError):  # on a full disk the lock holds without a name
        os.ftruncate(held, 0)
        os.pwrite(held, text.encode("ascii"), 0)
    return held


def _try_lock(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(held: int) -> Words:
    """What the holder wrote of itself."""
    try:
        found = json.loads(os.pread(held, 4096, 0).decode("ascii"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _take_over(holder: Words) -> None:
    with contextlib.suppress(OSError, ValueError, KeyError):  # it may be gone by now
        os.kill(int(holder["pid"]), signal.SIGTERM)


def _describe(holder: Words) -> str:
    """Who holds the lock and for how long; the clock that never jumps is one for the whole machine."""
    seconds = int(time.monotonic() - holder.get("since", time.monotonic()))
    return "{} for {} s, process {} there".format(holder.get("who", "somebody"), seconds, holder.get("pid", "?"))


def _listen(seconds: float, idle_s: int) -> None:
    """Wait a little; end when the host is gone."""
    if select.select([0], [], [], seconds)[0]:
        if not os.read(0, 1024):
            sys.exit(1)
        signal.alarm(idle_s)

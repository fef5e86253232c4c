"""What serves an SSH host on the device: one folder of files by content, and programs that end with the link.

Its text is sent with each request, with those of keeper and replies: nothing of ours needs to lie on the device yet.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import struct
import sys
import zlib
from typing import Any, Dict, Iterator, List

try:
    import lzma
except ImportError:  # it is left out of some small systems
    lzma = None  # type: ignore[assignment]

from .keeper import LOCK, lock, run
from .replies import Refusal, Words, reply

MARK = "edgeval-device.json"
OURS = re.compile(r"(part-)?[0-9a-f]{32}-[\w.-]+\Z")  # names that _places gives
BLOCK_MAX = 1 << 20
# Each byte less the one three places before it, which is the same colour of the pixel before, and that packed.
PIXELS = [{"id": 3, "dist": 3}, {"id": 0x21, "preset": 0}]
SPARE_BYTES = 1 << 20  # what stays free on the device besides the file
HASH_S = 600  # reading a large file back from a slow card


def main(request: Words) -> int:
    """Do one request; returns the exit status."""
    os.umask(0o077)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _stop)
    signal.alarm(request["idle_s"])  # a request without news for so long ends by itself
    try:
        return int(REQUESTS[request["do"]](request))
    except Refusal as refusal:
        reply(refusal.words)
    except OSError as error:
        reply({"error": os.strerror(error.errno or 5), "seen": str(error.filename or request["folder"])})
    return 1


def _stop(number: int, frame: Any) -> None:
    sys.exit(128 + number)


# --- the folder ---


def open_folder(request: Words) -> int:
    """Make the folder, say where it is, and stay until the host goes: this session holds the connection."""
    folder = _folder(request["folder"])
    user = os.environ.get("USER") or str(os.getuid())
    reply({"folder": folder, "python": sys.version.split()[0], "user": user, "free": shutil.disk_usage(folder).free})
    while os.read(0, 1024):
        signal.alarm(request["idle_s"])
    return 0


def _folder(text: str) -> str:
    """The device's folder for edgeval, marked as such and closed to others."""
    path = os.path.abspath(os.path.expanduser(text))
    os.makedirs(path, mode=0o700, exist_ok=True)
    about = os.lstat(path)
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        raise Refusal("foreign", path)
    mark = os.path.join(path, MARK)
    if not os.path.isfile(mark):
        if os.listdir(path):
            raise Refusal("foreign", path)
        with open(mark, "w", encoding="ascii") as file:
            json.dump({"format": 1}, file)
    os.chmod(path, 0o700)
    return path


def clean(request: Words) -> int:
    """Remove what is ours, or with `dry` only count; the folder too, unless somebody put something else into it."""
    path = os.path.abspath(os.path.expanduser(request["folder"]))
    if not os.path.lexists(path):
        reply({"folder": path, "files": 0, "bytes": 0, "left": 0})
        return 0
    if os.path.islink(path) or not os.path.isfile(os.path.join(path, MARK)):
        raise Refusal("foreign", path)
    held = lock(request, path)
    found = [entry for entry in os.scandir(path) if OURS.match(entry.name) and entry.is_file(follow_symlinks=False)]
    size = sum(entry.stat(follow_symlinks=False).st_size for entry in found)
    left = len(set(os.listdir(path)) - {entry.name for entry in found} - {MARK, LOCK})
    if not request["dry"]:
        for name in [entry.name for entry in found] + ([] if left else [LOCK, MARK]):
            os.unlink(os.path.join(path, name))
        if not left:
            os.rmdir(path)
    os.close(held)
    reply({"folder": path, "files": len(found), "bytes": size, "left": left})
    return 0


# --- files ---


def have(request: Words) -> int:
    """Whether a file is there whole; else how much of it is there from an upload that was cut."""
    place, part = _places(request)
    if os.path.isfile(place) and _sha256(place) == request["sha256"]:
        reply({"path": place, "there": True})
        return 0
    at = os.path.getsize(part) if os.path.isfile(part) else 0
    at = at if at <= request["size"] else 0
    free = shutil.disk_usage(request["folder"]).free
    if request["size"] - at + SPARE_BYTES > free:
        raise Refusal("space", "{} bytes needed, {} free".format(request["size"] - at, free))
    reply({"path": place, "there": False, "at": at, "lzma": lzma is not None})
    return 0


def take(request: Words) -> int:
    """Write the blocks that arrive behind what is there, check the hash, and give the file its name."""
    place, part = _places(request)
    with open(part, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refusal("twice", place) from None
        at = request["at"]
        if file.tell() != at:
            os.ftruncate(file.fileno(), at)  # shorter than `at` it becomes wrong, which the hash will say
        for block in _blocks(request["idle_s"]):
            file.write(block)
            file.flush()
            at += len(block)
            if at > request["size"]:
                raise Refusal("damaged", "{} bytes, announced {}".format(at, request["size"]))
            with contextlib.suppress(BrokenPipeError):  # what is on its way is still to be written
                reply({"at": at})
        if at < request["size"]:
            return 1  # cut: the next upload goes on from here
        os.fsync(file.fileno())
        if _sha256(part) != request["sha256"]:
            os.unlink(part)
            raise Refusal("damaged", "the hash differs")
        os.replace(part, place)
    reply({"done": True})
    return 0


def get(request: Words) -> int:
    """Send the bytes of a file behind a line that says how many."""
    with open(request["path"], "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > request["most"]:
            raise Refusal("large", "{} bytes".format(size))
        reply({"size": size})
        for block in iter(lambda: file.read(1 << 16), b""):
            signal.alarm(request["idle_s"])
            sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    return 0


def _places(request: Words) -> List[str]:
    """Where a file lies when it is whole, and while it arrives."""
    name = "{}-{}".format(request["sha256"][:32], request["name"])
    return [os.path.join(request["folder"], prefix + name) for prefix in ("", "part-")]


def _blocks(idle_s: int) -> Iterator[bytes]:
    """The blocks on standard input: a flag (0 as it is, 1 deflated, 2 the end, 3 pixels), a size, the bytes."""
    source = sys.stdin.buffer
    while True:
        signal.alarm(idle_s)
        head = source.read(5)
        if len(head) < 5:
            return
        flag, size = struct.unpack(">BI", head)
        if flag == 2 or size > BLOCK_MAX:
            return
        block = source.read(size)
        if len(block) < size:
            if not flag:
                yield block  # the part that arrived before the link broke
            return
        yield _unpacked(flag, block)


def _unpacked(flag: int, block: bytes) -> bytes:
    """The bytes of a block: as it came, deflated, or as differences of pixels."""
    if flag == 1:
        return zlib.decompressobj().decompress(block, BLOCK_MAX)
    if flag == 3 and lzma is not None:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=PIXELS).decompress(block, BLOCK_MAX)
    return block


def _sha256(path: str) -> str:
    signal.alarm(HASH_S)
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 18), b""):
            digest.update(block)
    return digest.hexdigest()


REQUESTS: Dict[str, Any] = {
    "open": open_folder,
    "clean": clean,
    "have": have,
    "take": take,
    "get": get,
    "run": run,
}

"""The wire between the agent and the host: one line of JSON, then the payload that it announces."""

from __future__ import annotations

import hashlib
import json
from typing import IO, Any, Dict, Optional, Tuple

START = b'{"type": "'
LINE_MAX = 1 << 16
PAYLOAD_MAX = 1 << 28
NOISE_MAX = 1 << 24

Header = Dict[str, Any]


class Fault(Exception):
    """What a run cannot go on from; `code` says which kind, `seen` the value that was met, `hint` what to do."""

    def __init__(self, code: str, message: str, seen: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.fields: Dict[str, Any] = {"code": code, "message": message, "seen": seen, "hint": hint}


def write(stream: IO[bytes], kind: str, payload: bytes = b"", **fields: Any) -> None:
    """Send one frame and flush it."""
    digest = hashlib.sha256(payload).hexdigest()
    relay(stream, dict({"type": kind, "size": len(payload), "sha256": digest}, **fields), payload)


def relay(stream: IO[bytes], header: Header, payload: bytes) -> None:
    """Pass a frame on as it came."""
    stream.write(json.dumps(header).encode("ascii") + b"\n" + payload)
    stream.flush()


def read(stream: IO[bytes]) -> Optional[Tuple[Header, bytes]]:
    """The next frame, or None at the end. What is no frame (a login banner, damage) is passed over, up to a limit."""
    noise = 0
    while True:
        line = stream.readline(LINE_MAX)
        noise += len(line)
        if not line or noise > NOISE_MAX:
            return None
        header = _header(line)
        if header is not None:
            payload = stream.read(header["size"])
            return (header, payload) if len(payload) == header["size"] else None


def intact(header: Header, payload: bytes) -> bool:
    """Whether the payload is the one that was sent."""
    return bool(hashlib.sha256(payload).hexdigest() == header.get("sha256"))


def _header(line: bytes) -> Optional[Header]:
    """The header on this line, if it is one."""
    if not line.startswith(START):
        return None
    try:
        header = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError):
        return None
    size, kind = header.get("size"), header.get("type")
    return header if isinstance(kind, str) and isinstance(size, int) and 0 <= size <= PAYLOAD_MAX else None

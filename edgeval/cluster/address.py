"""Whether a Ray head answers at an address: asked first, because Ray itself waits two minutes for one that does not."""

from __future__ import annotations

import os
import socket

from edgeval.errors import InputError, UnreachableError

PATIENCE_S = 5.0
LOCAL, AUTO = "local", "auto"
# A gRPC server answers the opening of HTTP/2 with a SETTINGS frame: its fourth byte is 4.
OPENING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
HEADER, SETTINGS = 9, 4


def check_address(address: str) -> None:
    """Raise InputError for what is no address, UnreachableError where nothing like a Ray head answers."""
    if address in (LOCAL, AUTO):
        return
    host, port = split(address)
    try:
        with socket.create_connection((host, port), timeout=PATIENCE_S) as link:
            answered = os.environ.get("RAY_USE_TLS") == "1" or _speaks_grpc(link)
    except OSError as error:
        raise unreachable(address, error.strerror or str(error) or "no answer") from error
    if not answered:
        raise unreachable(address, "something else answers there")


def split(address: str) -> tuple[str, int]:
    """Host and port. Raises InputError."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        hint = "give HOST:PORT of the head node, or auto, or local"
        raise InputError("this is no address of a Ray cluster", seen=address, hint=hint)
    return host.strip("[]"), int(port)


def unreachable(address: str, seen: object) -> UnreachableError:
    """What to say of a cluster that cannot be joined."""
    hint = "on the head: ray start --head; on every other machine, this one too: ray start --address HOST:PORT"
    return UnreachableError(f"no Ray cluster can be joined at {address}", seen=seen, hint=hint)


def _speaks_grpc(link: socket.socket) -> bool:
    """Whether the other side greets as a gRPC server does."""
    link.sendall(OPENING)
    head = b""
    while len(head) < HEADER:
        part = link.recv(HEADER - len(head))
        if not part:
            return False
        head += part
    return head[3] == SETTINGS

"""A small file server that resumes, cuts connections and refuses, as real ones do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


class Files(BaseHTTPRequestHandler):
    """Serves `folder`; `/plain/` ignores ranges, `/cut/` stops half-way."""

    folder: Path

    def do_GET(self) -> None:
        mode, _, name = self.path.lstrip("/").rpartition("/")
        path = self.folder / name
        if not path.is_file():
            self.send_error(404)
            return
        data, start = path.read_bytes(), 0
        if mode != "plain" and "Range" in self.headers:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if start > len(data):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:] if mode != "cut" else data[start : (start + len(data)) // 2])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve a folder on a free local port; gives its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Files,), {"folder": folder}))
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()

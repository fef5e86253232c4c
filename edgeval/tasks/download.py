"""Fetches one official file by https, resumes after an interruption, and trusts it only if its md5 is right."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO

from edgeval.errors import DataError
from edgeval.tasks.split import Progress

CHUNK = 1 << 20
TIMEOUT_S = 30.0


def fetch(url: str, path: Path, *, md5: str, progress: Progress) -> None:
    """Download `url` to `path`, bytes done and total to `progress`. Raises OSError, or DataError if the md5 differs.

    An interrupted download stays beside it as `*.part` and goes on from there the next time.
    """
    partial = path.with_name(path.name + ".part")
    if not partial.is_file() or md5_of(partial) != md5:
        try:
            receive(url, partial, progress)
        except urllib.error.HTTPError:
            partial.unlink(missing_ok=True)  # the server will not go on from these bytes: start anew next time
            raise
        except http.client.HTTPException as error:
            raise ConnectionError(f"the connection was cut: {error!r}") from error
    if md5_of(partial) != md5:
        partial.unlink()
        raise DataError(f"what {url} sent is not the official file (md5 differs)", hint="run the command again")
    partial.replace(path)


def receive(url: str, partial: Path, progress: Progress) -> None:
    """Append to `partial` what it still lacks, or all of it where the server cannot resume."""
    done = partial.stat().st_size if partial.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})  # noqa: S310 (our own urls)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
        done = done if answer.status == http.HTTPStatus.PARTIAL_CONTENT else 0
        total = done + int(answer.headers.get("Content-Length") or 0)
        with partial.open("ab" if done else "wb") as sink:
            copy(answer, sink, done=done, total=total, progress=progress)


def copy(answer: BinaryIO, sink: BinaryIO, *, done: int, total: int, progress: Progress) -> None:
    """Copy to the end, reporting after each chunk. Raises ConnectionError if the answer stops early."""
    while chunk := answer.read(CHUNK):
        sink.write(chunk)
        done += len(chunk)
        progress(done, max(done, total))
    if done < total:
        raise ConnectionError(f"the connection was cut after {done} of {total} bytes")


def md5_of(path: Path) -> str:
    """md5 of a file: the checksum that the official page publishes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()

"""Frames survive noise, and damage never passes as data."""

from __future__ import annotations

import io

import pytest

from edgeval.run.agent import frames


def stream(*parts: bytes) -> io.BytesIO:
    return io.BytesIO(b"".join(parts))


def frame(kind: str = "chunk", payload: bytes = b"abc\n{}", **fields: int) -> bytes:
    buffer = io.BytesIO()
    frames.write(buffer, kind, payload, **fields)
    return buffer.getvalue()


def test_a_frame_comes_back_as_it_was_sent() -> None:
    source = stream(frame(start=3), frame("done", b""))
    header, payload = frames.read(source) or ({}, b"")
    assert (header["type"], header["start"], payload) == ("chunk", 3, b"abc\n{}")
    assert frames.intact(header, payload)
    assert (frames.read(source) or ({"type": ""},))[0]["type"] == "done"
    assert frames.read(source) is None


@pytest.mark.parametrize(
    "noise",
    [b"Welcome to the board!\n", b"\xff\x00\n\n", b'{"type": "chunk", "si\n', b'{"type": "chunk", "size": -1}\n'],
)
def test_what_is_no_frame_is_passed_over(noise: bytes) -> None:
    source = stream(noise, frame(start=1), noise, frame(start=2))
    assert [(frames.read(source) or ({},))[0]["start"] for _ in range(2)] == [1, 2]
    assert frames.read(source) is None


def test_a_damaged_payload_is_not_intact() -> None:
    header, payload = frames.read(stream(frame().replace(b"abc", b"abd"))) or ({}, b"")
    assert payload == b"abd\n{}"
    assert not frames.intact(header, payload)


def test_a_cut_payload_is_the_end() -> None:
    assert frames.read(stream(frame()[:-2])) is None

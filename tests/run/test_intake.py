"""A device that lies: whatever it sends is refused or harmless, and never more than it may be."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeval.errors import BenchError, EdgevalError, IntegrityError
from edgeval.records.artifact import Preprocess
from edgeval.run.agent import frames
from edgeval.run.ask import ask
from edgeval.run.host import LocalHost
from edgeval.run.infer import infer
from edgeval.run.intake import (
    harmless,
    read_arena,
    read_chunk,
    read_count,
    read_delegate,
    read_facts,
    read_fault,
    read_hello,
    read_recorded,
    read_report,
)
from edgeval.run.job import Job
from edgeval.run.probe import probe
from tests.run.tiny_models import SIDE, Memory, make_samples, make_target, write_tflite

GOOD = {"start": 4, "stop": 8, "shape": [4, 3], "dtype": "<f4"}
ROWS = np.zeros((4, 3), "<f4").tobytes()


def chunk(payload: bytes = ROWS, **changes: Any) -> Any:
    buffer = io.BytesIO()
    frames.write(buffer, "chunk", payload, **(GOOD | changes))
    found = frames.read(io.BytesIO(buffer.getvalue()))
    assert found is not None
    return read_chunk(*found, [(0, 10)])


def test_a_good_chunk_is_read() -> None:
    place, outputs = chunk()
    assert place == (4, 8)
    assert (outputs.shape, outputs.dtype) == ((4, 3), np.float32)


@pytest.mark.parametrize(
    "changes",
    [
        {"start": -4, "stop": 0},
        {"start": 8, "stop": 12},
        {"start": 8, "stop": 4},
        {"start": True, "stop": 5},
        {"start": "4"},
        {"start": None},
        {"shape": [4, 4]},
        {"shape": [4, -3]},
        {"shape": [4, 0]},
        {"shape": [4, 3, 1]},
        {"shape": [4, 1 << 40]},
        {"shape": 12},
        {"shape": [4.0, 3]},
        {"dtype": "O"},
        {"dtype": "|O"},
        {"dtype": "<U1"},
        {"dtype": "V4"},
        {"dtype": "f4,f4"},
        {"dtype": "<f8"},
        {"dtype": None},
        {"dtype": ["<f4"]},
        {"payload": ROWS[:-1]},
        {"sha256": "0" * 64},
    ],
    ids=repr,
)
def test_a_chunk_that_is_not_what_was_asked_for_is_nothing(changes: dict[str, Any]) -> None:
    assert chunk(**changes) is None


def test_what_is_there_already_is_not_taken_again() -> None:
    header = {"type": "chunk", "size": len(ROWS), **GOOD}
    assert read_chunk(header, ROWS, [(0, 4), (8, 10)]) is None


@pytest.mark.parametrize("line", [b'{"type": "x", "a": ' + b"[" * 60_000, b'{"type": "a", "type": 5, "size": 0}'])
def test_headers_that_are_none_are_passed_over(line: bytes) -> None:
    assert frames.read(io.BytesIO(line + b"\n")) is None


def test_more_than_a_frame_may_hold_is_not_read() -> None:
    line = json.dumps({"type": "chunk", "size": frames.PAYLOAD_MAX + 1}).encode() + b"\n"
    assert frames.read(io.BytesIO(line)) is None


def test_text_is_harmless_and_short() -> None:
    said = read_fault({"type": "error", "message": "\x1b]0;owned\x07" + "a" * 9000, "seen": {"a": 1}, "hint": None})
    assert "\x1b" not in said["message"]
    assert len(said["message"]) <= 1000
    assert said["seen"] == "{'a': 1}"
    assert harmless({"a\n": ["\u202eb", float("nan"), {}]}) == {"a\\n": ["\\u202eb", None, {}]}
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    assert len(str(harmless(deep))) < 40


LEAVES = st.none() | st.booleans() | st.floats() | st.text()


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_anything_becomes_a_printable_json_value(value: Any) -> None:
    assert json.dumps(harmless(value), allow_nan=False).isprintable()


TENSOR = {"scale": None, "zero_point": None}


@pytest.mark.parametrize(
    "changes",
    [
        {"output": None},
        {"output": TENSOR | {"scale": "x"}},
        {"output": TENSOR | {"scale": 0.5}},
        {"output": TENSOR | {"scale": 0.5, "zero_point": 1 << 50}},
        {"input": []},
    ],
)
def test_an_account_that_cannot_be_counted_with_is_refused(changes: dict[str, Any]) -> None:
    assert read_hello({"type": "hello", "input": TENSOR, "output": TENSOR})["input"] == TENSOR
    with pytest.raises(IntegrityError, match="cannot be used"):
        read_hello({"type": "hello", "input": TENSOR, "output": TENSOR} | changes)


@pytest.mark.parametrize(
    "line",
    [b"{", b"{}", b"[]", b'{"runtimes": ["a"]}', b'{"runtimes": {"a": 1}}', b'{"runtimes": {}, "numpy": 1}'],
)
def test_facts_that_are_none_are_refused(line: bytes) -> None:
    with pytest.raises(BenchError):
        read_facts(line)


LIAR = """
import sys
sys.path.insert(0, sys.argv[1])
from agent import frames
out = sys.stdout.buffer
{lies}
"""


@pytest.fixture
def lie(tmp_path: Path) -> Callable[[str], None]:
    """Run a job on a device whose agent does these lines instead."""
    model = write_tflite(tmp_path / "m.tflite", (1, SIDE, SIDE, 3))
    job = Job(model, make_samples(8), Preprocess(scale=1), make_target(), chunk=4, latency=False)

    def run(lies: str) -> None:
        (tmp_path / "liar.py").write_text(LIAR.format(lies=lies))
        liar = tmp_path / "python"
        liar.write_text(
            f'#!/bin/sh\ncase "$2" in run) exec {sys.executable} {tmp_path}/liar.py "$1";; esac\n'
            f'exec {sys.executable} "$@"\n'
        )
        liar.chmod(0o755)
        with LocalHost(python=str(liar)) as host:
            infer(host, job, Memory(), progress=lambda *_: None, facts=probe(host))

    return run


@pytest.mark.parametrize(
    ("lies", "words"),
    [
        ("while True: frames.write(out, 'chunk', b'x', start=0, stop=4, shape=[4, 3], dtype='O')", "without end"),
        ("while True: frames.write(out, 'noise')", "without end"),
        ("frames.write(out, 'hello', input=5)", "cannot be used"),
        ("frames.write(out, 'latency', p50='nan', p95=-1, n=0, threads=0)", "no measurement"),
        ("frames.write(out, 'memory', peak_mb='much')", "no measurement"),
        ("frames.write(out, 'error', message='\\x1b[2Jgone')", r"\\x1b\[2Jgone"),
        ("frames.write(out, 'done')", "answers are missing"),
        ("sys.stderr.write('\\x1b[2Jgone'); sys.exit(3)", r"exit status 3: .*x1b\[2Jgone"),
    ],
)
def test_a_lying_agent_ends_in_one_clear_line(lie: Callable[[str], None], lies: str, words: str) -> None:
    with pytest.raises(EdgevalError, match=words) as caught:
        lie(lies)
    assert str(caught.value).isprintable()


def test_an_answer_without_end_is_not_read(tmp_path: Path) -> None:
    endless = tmp_path / "python"
    endless.write_text("#!/bin/sh\nexec yes\n")
    endless.chmod(0o755)
    with LocalHost(python=str(endless)) as host, pytest.raises(BenchError, match="does not end"):
        probe(host)


def said(kind: str, **fields: Any) -> frames.Header:
    return {"type": kind, "size": 0, "sha256": "", **fields}


ARENA = {"smallest": 10, "total": 20, "head": 5, "tail": 15}
HELLO = {"input": TENSOR, "output": TENSOR}


@pytest.mark.parametrize(
    ("read", "fields"),
    [
        (read_count, {}),
        (read_count, {"median": "5"}),
        (read_count, {"median": -1}),
        (read_count, {"median": 1e3}),
        (read_count, {"median": 10**4000}),
        (read_arena, {}),
        (read_arena, ARENA | {"smallest": 0}),
        (read_arena, ARENA | {"head": "5"}),
        (read_report, {}),
        (read_report, {"status": "0", "text": ""}),
        (read_report, {"status": 0, "text": [1]}),
        (read_delegate, {"delegate_version": 5}),
        (read_delegate, {"devices": "usb"}),
        (read_recorded, {"health": "good"}),
        (read_recorded, {"health": {"failed": 3}}),
        (read_recorded, {"instructions": "many"}),
        (read_hello, HELLO | {"engine": ["litert"]}),
        (read_hello, HELLO | {"unproven": "nothing"}),
        (read_hello, HELLO | {"unproven": [1]}),
        (read_hello, HELLO | {"compiled": {"a": 1}}),
        (read_hello, HELLO | {"delegated": "all"}),
        (read_hello, HELLO | {"input": TENSOR | {"preprocess": {"scale": "x"}}}),
    ],
)
def test_an_answer_that_the_agent_would_not_give_is_refused(
    read: Callable[[frames.Header], Any], fields: dict[str, Any]
) -> None:
    with pytest.raises(EdgevalError) as caught:
        read(said("x", **fields))
    assert str(caught.value).isprintable()


def test_a_compilers_words_are_harmless_and_keep_their_lines() -> None:
    status, text = read_report(said("tool", status=1, text="one\n\x1b[2Jtwo" + "x" * 9000))
    assert status == 1
    assert read_report(said("tool", status=0, text="one\n\x1b[2Jtwo"))[1] == "one\n\\x1b[2Jtwo"
    assert len(text) <= 8000


def test_an_answer_has_the_width_that_was_asked_for(lie: Callable[[str], None]) -> None:
    place = "start=4 * i, stop=4 * i + 4, shape=[4, 5 * (i + 1)], dtype='u1'"
    with pytest.raises(IntegrityError, match="another count of numbers"):
        lie(f"for i in range(2): frames.write(out, 'chunk', b'x' * 20 * (i + 1), {place})")


def test_one_question_has_one_answer(tmp_path: Path) -> None:
    (tmp_path / "liar.py").write_text(LIAR.format(lies="while True: frames.write(out, 'tool', status=0, text='')"))
    liar = tmp_path / "python"
    liar.write_text(f'#!/bin/sh\nexec {sys.executable} {tmp_path}/liar.py "$1"\n')
    liar.chmod(0o755)
    with LocalHost(python=str(liar)) as host, pytest.raises(BenchError, match="without end"):
        ask(host, ("tool", {}), "tool", "m")

"""The emulated board passes the tests of every host; processes there are looked for from there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeval.emulate.board import Board
from edgeval.records.target import load_target
from edgeval.run.host import Host
from edgeval.workflow.bench import open_host
from tests.run.test_hosts import (
    job,
    test_a_file_comes_back_as_it_was_put_and_is_kept_by_content,
    test_a_file_has_a_plain_name,
    test_a_model_answers_alike_on_every_host,
    test_no_word_meets_a_shell,
    test_output_status_and_last_words_of_a_program_come_back,
    test_random_words_arrive_as_they_were,
    test_what_is_not_there_is_said,
)

__all__ = [
    "job",
    "test_a_file_comes_back_as_it_was_put_and_is_kept_by_content",
    "test_a_file_has_a_plain_name",
    "test_a_model_answers_alike_on_every_host",
    "test_no_word_meets_a_shell",
    "test_output_status_and_last_words_of_a_program_come_back",
    "test_random_words_arrive_as_they_were",
    "test_what_is_not_there_is_said",
]

LOOK = """
import glob, sys
words = [open(path, 'rb').read() for path in glob.glob('/proc/[0-9]*/cmdline') if path.split('/')[2] != 'self']
print(sum(sys.argv[1][1:].encode() in text and b'LOOK' not in text for text in words))
"""


@pytest.fixture(scope="module")
def place(board: Board, card: Path) -> Iterator[Host]:
    """The booted board, over its ssh server."""
    with open_host(load_target(str(card))) as host:
        yield host


@pytest.fixture
def runner(place: Host) -> Host:
    """The same: it runs programs."""
    return place


def test_leaving_ends_the_program_there_and_what_it_started(place: Host) -> None:
    long = f"1{secrets.randbelow(10**8):08}"
    code = f"import subprocess, time; subprocess.Popen(['sleep', '{long}']); print('on', flush=True); time.sleep(99)"
    with place.run([place.python, "-c", code]) as process:
        assert process.stdout.readline() == b"on\n"
        assert left(place, long) > 0
    assert any(left(place, long) == 0 for _ in range(20))


def left(place: Host, word: str) -> int:
    """How many processes of the board have this word in their command line, without the one that looks."""
    with place.run([place.python, "-c", LOOK, "x" + word]) as process:
        return int(process.stdout.read())

"""A real emulated board for all tests of this folder: built from the user's cache, booted once, stopped at the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeval.emulate.board import Board
from edgeval.errors import BenchError
from edgeval.records.target import load_target
from edgeval.workflow.boards import board_of, release

# One name for the workers of this run, and no other run's.
NAME = f"edgeval-test-board-{os.environ.get('PYTEST_XDIST_TESTRUNUID', str(os.getpid()))[:8]}"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The card of the Pi 4, under a name of the tests' own."""
    text = (ROOT / "devices" / "pi4-emulated.toml").read_text().replace('name = "pi4-emulated"', f'name = "{NAME}"')
    path = tmp_path_factory.mktemp("card") / f"{NAME}.toml"
    path.write_text(text)
    return path


@pytest.fixture(scope="session")
def created(card: Path) -> Iterator[Board]:
    """The board, created; what cannot be had here skips the test."""
    board = board_of(load_target(str(card)))
    try:
        board.create(lambda done, total: None, lambda text: None)
    except BenchError as error:
        pytest.skip(f"no emulated board: {error.what} ({error.seen})")
    yield board
    if board.running is None:  # the last worker; the image stays in the user's cache
        shutil.rmtree(board.home, ignore_errors=True)


@pytest.fixture(scope="session")
def board(created: Board) -> Iterator[Board]:
    """The board, running; workers of pytest-xdist share it."""
    with created.used(lambda text: None):
        yield created
        release()

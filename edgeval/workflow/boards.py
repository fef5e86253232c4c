"""Emulated boards from their cards: create, start, stop, remove, and run models on them."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeval.emulate.board import Board, Login, created
from edgeval.emulate.machine import Hardware
from edgeval.errors import CardError, InputError
from edgeval.records.cards import available
from edgeval.records.reporter import Reporter
from edgeval.records.target import Target, load_target
from edgeval.records.wanted import nearest
from edgeval.run.count import count_instructions
from edgeval.run.host import Host
from edgeval.run.job import Job
from edgeval.run.ssh import SshHost

_HELD, _KEPT = ExitStack(), set[Path]()


@dataclass(frozen=True)
class State:
    """What there is of one emulated board."""

    name: str
    state: str
    port: int | None = None
    pid: int | None = None
    uptime_s: float | None = None
    image_mb: int | None = None


def board_of(target: Target, *, counting: bool = False) -> Board:
    """The board that a card describes. Raises InputError for a card of another kind."""
    machine = target.machine
    if target.transport.type == "emulated" and machine is None:
        hint = 'add [machine] with cpu = "cortex-a72" (docs/emulated.md)'
        raise CardError("this card of an emulated board does not say which", seen=target.path, hint=hint)
    if target.transport.type != "emulated" or machine is None:
        hint = f"emulated boards: {', '.join(emulated_cards())}"
        raise InputError("this card describes no emulated board", seen=target.name, hint=hint)
    cores = min(machine.cores, os.cpu_count() or 1)  # more than there are would only wait for one another
    name = target.transport.host or target.name  # another name where the board stands in for a device
    return Board(name, Hardware(machine.cpu, cores, machine.memory_mb, counting), wheels=machine.wheels)


def emulated_cards() -> list[str]:
    """Names of all cards of emulated boards; a card that cannot be read is none."""
    found = []
    for name in sorted(available("devices")):
        with suppress(CardError):
            card = load_target(name)
            found += [name] if card.transport.type == "emulated" and card.machine else []
    return found


@contextmanager
def board_host(target: Target, reporter: Reporter, *, counting: bool = False) -> Iterator[Host]:
    """The board as an ordinary host over ssh. It is started if need be, and then stopped when this program ends."""
    board = board_of(target, counting=counting)
    if board.folder not in _KEPT:  # a command may open it several times
        _HELD.enter_context(board.used(reporter.say))
        _KEPT.add(board.folder)
    login = board.start(reporter.say)
    with SshHost(target.changed(transport=target.transport.as_ssh(login.name, login.config)), reporter) as host:
        yield host


@atexit.register
def release() -> None:
    """Stop the boards that were started for this program, unless another one uses them."""
    _HELD.close()
    _KEPT.clear()


def counter_of(target: Target) -> Callable[[Job, dict[str, Any], Reporter], int] | None:
    """What counts instructions on this target; None where nothing does."""
    if target.transport.type != "emulated":
        return None

    def counted(job: Job, facts: dict[str, Any], reporter: Reporter) -> int:
        reporter.say(f"{job.model.name}: instructions are counted on one core of {target.name} with a virtual clock")
        with board_host(target, reporter, counting=True) as host:
            return count_instructions(host, job, facts)

    return counted


def create_board(name: str, reporter: Reporter, *, rebuild: bool = False) -> str:
    """Build the board called `name`; what there is now and what comes next, in words."""
    board = board_of(load_target(name))
    reporter.say(f"{name}: Debian and the Arm runtimes are put onto a disk image; about a minute, once")
    image = board.create(reporter.bar(f"create {name}", "steps"), reporter.say, rebuild=rebuild)
    following = "compare --target" if board.wheels else "devices check"  # a bare board cannot run anything yet
    return f"{name} is created: {image.size_mb} MB in {image.folder}\nnext: edgeval {following} {name}"


def start_board(name: str, reporter: Reporter) -> Login:
    """Boot it, to run until it is stopped."""
    return board_of(load_target(name)).keep(reporter.say)


def stop_board(name: str) -> bool:
    """Whether it ran. Raises InputError for a name that is no board."""
    stopped = [_known(name, counting=counting).stop() for counting in (False, True)]
    return any(stopped)


def remove_board(name: str) -> None:
    """Stop it and delete what is its own."""
    _known(name).remove()


def states() -> Iterator[State]:
    """Every emulated board, created or not."""
    for name in sorted({*emulated_cards(), *created()}):
        for counting in (False, True):
            board = _known(name, counting=counting)
            found = board.running
            if counting and found is None:
                continue
            image = board.image
            rest = "stopped" if image else "out of date" if board.is_created else "not created"
            state = ("counting" if counting else "running") if found else rest
            size = image.size_mb if image else None
            if found:
                yield State(name, state, found.port, found.pid, found.uptime_s, size)
            else:
                yield State(name, state, image_mb=size)


def _known(name: str, *, counting: bool = False) -> Board:
    """A board by its card, or one that was created and whose card is gone."""
    if name in available("devices") or name not in created():
        if name not in available("devices"):
            hint = f"{nearest(name, {*emulated_cards(), *created()})}all: edgeval devices status"
            raise InputError("no emulated board is called that", seen=name, hint=hint)
        return board_of(load_target(name), counting=counting)
    return Board(name, Hardware("", 1, 0, counting))

"""What stands in for a device on this computer: an emulated board once it is created, else the desktop's runtime."""

from __future__ import annotations

from edgeval.errors import InputError
from edgeval.records.foreign import check_trusted
from edgeval.records.reporter import Reporter
from edgeval.records.target import Target, load_target
from edgeval.workflow.boards import board_of, emulated_cards


def stand_in(target: Target, reporter: Reporter) -> tuple[Target, str]:
    """The card that stands in for a device, with the device's own kernels; and how faithful it is. Says which it is."""
    if target.emulate is None:
        raise InputError(
            f"{target.name} has no stand-in on this computer", seen="--emulate", hint="leave --emulate away"
        )
    board = _created_board(target)
    if board and board.machine:
        reporter.say(f"{target.name}: the emulated board {board.name} stands in")
        note = f"the emulated board {board.name}" + (f", {board.machine.note}" if board.machine.note else "")
    else:
        other = target.emulate.board
        more = f"; edgeval devices create {other} makes a true Arm board that does" if other else ""
        reporter.say(f"{target.name}: this computer stands in ({target.emulate.card}){more}")
        note = target.emulate.note
    local = board or load_target(target.emulate.card)
    check_trusted(local, typed=target.explicit)
    if local.transport.type not in ("local", "emulated"):
        raise InputError("a stand-in must be a local card", seen=local.name, hint=f"mend [emulate] in {target.path}")
    runtime = local.runtime.model_copy(update={"kernels": target.runtime.kernels, "threads": target.runtime.threads})
    changed = target.changed(transport=local.transport, runtime=runtime, machine=local.machine)
    return changed, f"{target.emulate.fidelity}: {note}" if note else target.emulate.fidelity


def check_counted(name: str, *, emulate: bool) -> None:
    """Raise InputError where the instructions of an answer cannot be counted."""
    target = load_target(name)
    board = _created_board(target) if emulate else target
    if board is None or board.transport.type != "emulated":
        hint = f"choose one: --target {' or '.join(emulated_cards())}"
        raise InputError("instructions are counted on emulated boards only", seen=name, hint=hint)


def _created_board(target: Target) -> Target | None:
    """The card of the emulated board that stands in, None while that is not created."""
    if target.emulate is None or target.emulate.board is None:
        return None
    card = load_target(target.emulate.board)
    if board_of(card).image is None:
        return None
    return card.changed(transport=card.transport.model_copy(update={"host": card.name}))

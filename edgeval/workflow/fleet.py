"""Several targets at once: each machine has a thread, and one that dies does not end the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeval.compare.fleet import disagreement
from edgeval.errors import BenchError, CardError, EdgevalError, InputError, UnreachableError
from edgeval.records.cards import available
from edgeval.records.evidence import Evidence
from edgeval.records.fleet import DeviceState, Fleet, worst_code
from edgeval.records.reporter import Progress, Reporter
from edgeval.records.target import Target, load_target
from edgeval.records.wanted import nearest
from edgeval.report import wording
from edgeval.tasks.samples import Samples
from edgeval.workflow.bench import Bench, open_bench

TAG = "tag:"
PATIENCE_S = 3.0

Work = Callable[[Bench, Reporter], None]


def targets_of(text: str) -> tuple[str, ...]:
    """The targets that `a,b` or `tag:NAME` means, each once. Raises CardError for a tag that no card has."""
    if Path(text).is_file():
        return (text,)
    names: list[str] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        names += tagged(word.removeprefix(TAG)) if word.startswith(TAG) else [word]
    if not names:
        raise InputError("--target names no target", seen=text, hint="edgeval devices list shows them")
    return tuple(dict.fromkeys(names))


def tagged(tag: str) -> list[str]:
    """Cards with this tag, by name."""
    cards = {name: load_target(name) for name in sorted(available("devices"))}
    found = [name for name, card in cards.items() if tag in card.tags]
    if not found:
        known = sorted({tag for card in cards.values() for tag in card.tags})
        hint = f'{nearest(tag, known)}write tags = ["{tag}"] into the cards of a fleet'
        raise CardError("no device card has this tag", seen=tag, hint=hint)
    return found


@dataclass
class Member:
    """One target of a fleet, as typed and by its card's name: its bench once it is open, and what ended its run."""

    target: str
    name: str
    bench: Bench | None = None
    error: EdgevalError | None = None

    @property
    def state(self) -> DeviceState:
        """What became of it."""
        known = None if self.bench is None else self.bench.origin
        if self.error is None:
            return DeviceState(name=self.name, state="answered", origin=known)
        state = "unreachable" if isinstance(self.error, BenchError) else "failed"
        return DeviceState(
            name=self.name,
            state=state,
            origin=known,
            error=str(self.error),
            exit_code=self.error.exit_code,
        )


@dataclass(frozen=True)
class Opening:
    """How the targets are opened; see open_bench."""

    emulate: bool = False
    instructions: bool = False


PLAIN = Opening()


def muster(names: Sequence[str], work: Work, reporter: Reporter, how: Opening = PLAIN) -> list[Member]:
    """Do the work on every target, at once where they are different machines; how each ended, in order.

    A target that dies ends its own work only. An interrupt ends all of them.
    """
    cards = [load_target(name) for name in names]
    boards = [Member(name, card.name) for name, card in zip(names, cards, strict=True)]
    if len({board.name for board in boards}) < len(boards):
        seen = ", ".join(f"{board.target} is {board.name}" for board in boards)
        raise InputError("two targets have one name", seen=seen, hint="give their cards different names")
    stop, machines = threading.Event(), dict[str, list[Member]]()
    for board, card in zip(boards, cards, strict=True):
        machines.setdefault(_machine(card, how.emulate), []).append(board)
    told = Stoppable(reporter, stop)
    threads = [threading.Thread(target=_visit, args=(mine, work, told, how), daemon=True) for mine in machines.values()]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
        raise
    return boards


def _machine(card: Target, emulate: bool) -> str:
    """Targets of one machine run one after the other: they would only slow each other down."""
    return "here" if emulate or card.transport.type == "local" else card.transport.model_dump_json()


def _visit(boards: Sequence[Member], work: Work, reporter: Reporter, how: Opening) -> None:
    """The life of one thread."""
    for board in boards:
        unexpected = BenchError("the run of this target ended unexpectedly", seen=board.name, hint="run it again")
        board.error = unexpected
        try:
            with open_bench(
                board.target, emulate=how.emulate, instructions=how.instructions, reporter=reporter
            ) as bench:
                board.bench = bench
                work(bench, reporter)
            board.error = None
        except EdgevalError as error:
            board.error = error
        except OSError as error:
            board.error = BenchError("the system refused", seen=error, hint="run it again")
        if board.error is not None:
            reporter.say(f"{board.name}: {board.error}")


class Stoppable:
    """A reporter for several threads; its progress ends the work once the user has interrupted it."""

    def __init__(self, inner: Reporter, stop: threading.Event) -> None:
        self.inner, self.stop = inner, stop
        self.lock, self.said = threading.Lock(), set[str]()

    def say(self, text: str) -> None:
        """One line for the user, once: every target has the same to say of a model."""
        with self.lock:
            if text not in self.said:
                self.said.add(text)
                self.inner.say(text)

    def bar(self, label: str, unit: str = "images") -> Progress:
        """A line of progress of its own."""
        with self.lock:
            progress = self.inner.bar(label, unit)

        def tell(done: int, total: int) -> None:
            if self.stop.is_set():
                raise UnreachableError("interrupted", seen=label, hint="run it again to go on")
            with self.lock:
                progress(done, total)

        return tell


@dataclass(frozen=True)
class Compared:
    """The comparisons on all targets that answered, their images where there are some, and what became of each."""

    evidences: list[Evidence]
    samples: Samples | None
    fleet: Fleet


def fleet_of(name: str, boards: Sequence[Member], evidences: Sequence[Evidence]) -> Fleet:
    """What became of the boards, and where those that answered disagree. Raises where none did."""
    if not evidences:
        raise nobody(boards)
    runtimes = {wording.place(e.comparison): wording.runtime_words(e.comparison.target) for e in evidences}
    states = [board.state.model_copy(update={"runtime": runtimes.get(board.name, "")}) for board in boards]
    found = disagreement([evidence.candidate for evidence in evidences])
    return Fleet(name=name, devices=tuple(states), disagreement=found)


def nobody(boards: Sequence[Member]) -> EdgevalError:
    """The error for a fleet of which no target answered: of the kind that counts most."""
    errors = [board.error for board in boards if board.error is not None]
    code = worst_code(error.exit_code for error in errors)
    kind = next(type(error) for error in errors if error.exit_code == code)
    said = "; ".join(f"{board.name}: {board.error}" for board in boards)
    return kind(f"none of the {len(boards)} targets answered", seen=said, hint="edgeval devices list shows them")

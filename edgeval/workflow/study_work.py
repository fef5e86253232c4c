"""What any study has: its ladders' shares, the formats that its targets need, and what went wrong so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from edgeval.errors import CardError, EdgevalError
from edgeval.records.artifact import Format, Profile
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.reporter import Reporter
from edgeval.records.target import load_target
from edgeval.store import Store
from edgeval.workflow.train import TrainOptions


@dataclass(frozen=True)
class Faults:
    """What went wrong so far: with a target under its name, with a network under ''."""

    reporter: Reporter
    found: list[tuple[str, EdgevalError]] = field(default_factory=list)

    def failed(self, what: str, error: EdgevalError, *, target: str = "") -> None:
        """Say it and go on."""
        self.reporter.say(f"{what}: {error}; the others go on")
        self.found.append((target, error))

    def answering(self, targets: Sequence[str]) -> list[str]:
        """The targets that have answered so far."""
        lost = {name for name, _ in self.found}
        return [name for name in targets if name not in lost]

    @property
    def worst(self) -> EdgevalError | None:
        """What the command ends with: the bench's faults first."""
        return min((error for _, error in self.found), key=lambda error: error.exit_code, default=None)


def exports(targets: Sequence[str], formats: tuple[Format, ...]) -> dict[Profile, tuple[Format, ...]]:
    """The formats that these targets run, by the family of runtimes that they must be exported for."""
    found: dict[Profile, tuple[Format, ...]] = {}
    for card in map(load_target, targets):
        for fmt in formats or (card.model.format,):
            family = card.profile(fmt)
            found[family] = tuple(dict.fromkeys((*found.get(family, ()), fmt)))
    return found


@dataclass(frozen=True)
class Part:
    """One ladder's share of a study."""

    ladder: Ladder
    options: TrainOptions

    @property
    def seeds(self) -> tuple[int, ...]:
        return self.options.seeds or self.ladder.seeds

    @property
    def rungs(self) -> list[Rung]:
        return [self.ladder.rung(name) for name in self.options.rungs] or list(self.ladder.rungs)


def parts_of(ladders: Sequence[Ladder], options: TrainOptions) -> list[Part]:
    """Each ladder with the asked rungs that it has. Raises CardError for a rung that no ladder has."""
    names = options.rungs
    mine = {ladder.name: tuple(name for name in names if _has(ladder, name)) for ladder in ladders}
    lost = [name for name in names if not any(name in found for found in mine.values())]
    if lost:
        choices = ", ".join(rung.name for ladder in ladders for rung in ladder.rungs)
        raise CardError("no ladder of the study has such a rung", seen=lost[0], hint=f"choose from {choices}")
    return [
        Part(ladder, replace(options, rungs=mine[ladder.name])) for ladder in ladders if mine[ladder.name] or not names
    ]


def _has(ladder: Ladder, name: str) -> bool:
    """Whether a rung of this ladder is meant: c4 is ScaleCNN's, w0.25 MobileNetV2's."""
    if name[:1].isalpha() and not ladder.rungs[0].name.startswith(name[:1]):
        return False
    try:
        return bool(ladder.rung(name))
    except CardError:
        return False


def told(parts: Sequence[Part], store: Store) -> str:
    """How much there is to do."""
    every = [(part, rung, seed) for part in parts for rung in part.rungs for seed in part.seeds]
    there = sum(
        (rung.name, seed) in part.options.known
        or store.checkpoint(store.rung(part.ladder.name, rung.name, seed)) is not None
        for part, rung, seed in every
    )
    protocols = ", ".join(dict.fromkeys(part.ladder.protocol for part in parts))
    done = f", {there} of them trained already" if there else ""
    count = f"{len(every)} network{'s' * (len(every) != 1)}"
    return f'{count}, protocol "{protocols}"{done}; stop at any time and run the same line to go on'

"""What the networks of any study share: its targets, the formats they need, and what went wrong so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from edgeval.errors import EdgevalError
from edgeval.records.artifact import Format, Profile
from edgeval.records.reporter import Reporter
from edgeval.records.target import load_target


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

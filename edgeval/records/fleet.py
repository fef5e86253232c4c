"""A fleet: several devices that answered the same images, what became of each, and where they disagree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from edgeval.records.cards import Record
from edgeval.records.target import Origin

State = Literal["answered", "unreachable", "failed"]
PRECEDENCE = (2, 4, 5, 1, 3, 0)


class DeviceState(Record):
    """One device of a fleet; error and exit_code where it did not answer."""

    name: str
    state: State
    origin: Origin | None = None
    runtime: str = ""
    error: str = ""
    exit_code: int = 0


class Disagreement(Record):
    """Two devices with the same artifact on the same images.

    changed: answers that differ; lost, gained: right on `one` and wrong on `other`, and the reverse; jaccard: of their
    error sets, None where neither errs, with a two-sided 95% interval.
    """

    candidate: str
    format: str
    sha256: str
    one: str
    other: str
    n: int
    changed: int
    lost: int
    gained: int
    jaccard: float | None
    ci95: tuple[float, float] | None


class Fleet(Record):
    """All devices of one run, in the order in which they were asked for; page: the file that shows them."""

    schema_: Literal["edgeval/fleet/1"] = Field(default="edgeval/fleet/1", alias="schema")
    name: str
    devices: tuple[DeviceState, ...]
    disagreement: tuple[Disagreement, ...] = ()
    page: str = ""

    @property
    def silent(self) -> list[DeviceState]:
        """The devices that did not answer."""
        return [device for device in self.devices if device.state != "answered"]

    @property
    def gap(self) -> str:
        """How many targets are missing from what is said of the whole; empty where none is."""
        if not self.silent:
            return ""
        names = ", ".join(device.name for device in self.silent[:5]) + (", ..." if len(self.silent) > 5 else "")
        return f"{len(self.silent)} of {len(self.devices)} targets did not answer ({names})"

    @property
    def code(self) -> int:
        """The exit code of the devices that did not answer; 0 where all did."""
        return worst_code(device.exit_code for device in self.devices)


def worst_code(codes: Iterable[int]) -> int:
    """The exit code that counts for several results."""
    found = set(codes)
    return next((code for code in PRECEDENCE if code in found), 0)

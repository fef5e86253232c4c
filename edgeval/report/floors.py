"""A divergence beside what moves without a cause, in words and in shares."""

from __future__ import annotations

from dataclasses import dataclass

from edgeval.records.findings import Comparison, Floor, Stage
from edgeval.report import wording


@dataclass(frozen=True)
class Moved:
    """Flips (lost + gained) as a number or a range, out of n images; `floor`: without any real difference."""

    name: str
    low: int
    high: int
    n: int
    floor: bool = False

    @property
    def words(self) -> str:
        """'25 to 40 of 1,000'."""
        ends = [wording.count(end) for end in dict.fromkeys((self.low, self.high))]
        return f"{' to '.join(ends)} of {wording.count(self.n)}"


def moved(row: Comparison) -> list[Moved]:
    """The step that a floor is read against, then the floors; empty where no floor was measured."""
    found = [
        _floor("kernel families alone", row.kernel_floor),
        _floor("another training alone", row.retraining_floor),
    ]
    floors = [floor for floor in found if floor is not None]
    if not floors:
        return []
    steps = [step for step in row.stages if step.name == "device"]
    own = [Moved("device step", s.lost + s.gained, s.lost + s.gained, row.n) for s in steps]
    total = row.flips.lost + row.flips.gained
    return [*own, Moved("from end to end", total, total, row.n), *floors]


def kernel_sentence(row: Comparison) -> str:
    """'The device step flips 40 of 10,000; kernel families alone move 25 to 40 of 1,000.'"""
    floor = _floor("kernel families", row.kernel_floor)
    if floor is None:
        return ""
    step = next((step for step in row.stages if step.name == "device"), None)
    return f"{_own(row, step)}; on the desktop, kernel families alone flip {floor.words}{_note(row.kernel_floor)}."


def retraining_sentence(row: Comparison) -> str:
    """How far two trainings of one width lie apart, beside the whole divergence."""
    floor, kept = _floor("trainings", row.retraining_floor), row.retraining_floor
    if floor is None or kept is None:
        return ""
    j, own = ("" if j is None else f" (J {j:.2f})" for j in (kept.jaccard, row.overlap.jaccard))
    total = row.flips.lost + row.flips.gained
    return (
        f"Training the same width again with another seed flips {floor.words} answers{j}; this candidate flips "
        f"{wording.count(total)} of {wording.count(row.n)}{own}{_note(kept)}."
    )


def _own(row: Comparison, step: Stage | None) -> str:
    """The device step, or the whole where there is none."""
    if step is None:
        total = row.flips.lost + row.flips.gained
        return f"From end to end {wording.count(total)} of {wording.count(row.n)} answers flip"
    return f"The device step flips {wording.count(step.lost + step.gained)} of {wording.count(row.n)} answers"


def _floor(name: str, floor: Floor | None) -> Moved | None:
    """The smallest and the largest number of flips of any pair."""
    if floor is None:
        return None
    sizes = [pair.lost + pair.gained for pair in floor.pairs] or [floor.flips]
    return Moved(name, min(sizes), max(sizes), floor.n, floor=True)


def _note(floor: Floor | None) -> str:
    return f" ({floor.note})" if floor is not None and floor.note else ""

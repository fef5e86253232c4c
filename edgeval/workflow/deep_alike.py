"""Ladders that do not go into one study of regressors are told before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from edgeval.compare.deep.alike import Learnt, check_alike
from edgeval.workflow.fit import marks_of
from edgeval.workflow.measured import load_part
from edgeval.workflow.study_work import Part


def check_parts(parts: Sequence[Part]) -> None:
    """Raise DataError for ladders with other images, or with other recipes, where these must be the same."""
    counts = Counter(images for part in parts for images in {rung.images for rung in part.rungs})
    shared = {images for images, ladders in counts.items() if ladders > 1}
    check_alike(network for part in parts for network in _planned(part, shared))


def _planned(part: Part, shared: set[int | None]) -> Iterator[Learnt]:
    """The rungs of a ladder with a number of images that another ladder has too."""
    ladder, rungs = part.ladder, [rung for rung in part.rungs if rung.images in shared]
    marks = marks_of(ladder, rungs)
    for rung in rungs:
        sha, net = load_part(ladder, "train", rung.images).sha256, ladder.net.name or ladder.name
        yield Learnt(ladder.name, net, rung.width, rung.images or 0, ladder.protocol, marks[rung.name], sha)

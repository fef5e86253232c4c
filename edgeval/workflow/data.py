"""Data and networks of a ladder: what its card names, loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from edgeval.errors import CardError, InputError, RuntimeMissing
from edgeval.records.artifact import Preprocess
from edgeval.records.cards import explain
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.reporter import Progress
from edgeval.tasks import cri3, task
from edgeval.tasks.own import load_own
from edgeval.tasks.samples import Samples

if TYPE_CHECKING:
    from torch import nn

Split = Literal["train", "test"]
Need = tuple[cri3.Part, int | None]  # data that a job reads: the part, and of how many training samples
_LENT: dict[tuple[str, Need], Any] = {}


def data_folder() -> Path:
    """Where downloaded data sets lie: $EDGEVAL_DATA, else ~/.cache/edgeval."""
    given = os.environ.get("EDGEVAL_DATA")
    return Path(given) if given else Path.home() / ".cache" / "edgeval"


def load_split(ladder: Ladder, split: Split, progress: Progress) -> Samples:
    """Training or test images of a ladder. The user's own test data must have the classes of its training data."""
    source = ladder.task
    check_classifies(ladder)
    found: Samples | None = lent(ladder, (split, None))
    if found is not None:
        return found
    if source.name is not None:
        return task(source.name).load(split, data_folder(), progress)
    assert source.train is not None
    assert source.test is not None
    trained = load_own(ladder.beside(source.train))
    if split == "train":
        return trained
    return load_own(ladder.beside(source.test), class_names=trained.class_names)


def check_classifies(ladder: Ladder) -> None:
    """Raise InputError for a ladder that learns numbers where only classes will do."""
    if ladder.regression is not None:
        hint = "train, export, run, compare and gate take it"
        raise InputError("this is for ladders that learn classes", seen=f"{ladder.name} learns numbers", hint=hint)


def lend(ladder: Ladder, need: Need, data: Any) -> None:
    """In a process that works for another machine: data that came along, in place of what may lie here."""
    _LENT[ladder.task.model_dump_json(), need] = data


def lent(ladder: Ladder, need: Need) -> Any:
    """What came along, None where nothing did."""
    return _LENT.get((ladder.task.model_dump_json(), need))


def preprocess_of(ladder: Ladder) -> Preprocess:
    """How pixels become network input for this ladder; for simulated magnets cri3's own, unless the card says any."""
    if ladder.task.simulated:
        given = ladder.task.model_fields_set
        if not given & {"scale", "mean", "std"}:
            return Preprocess(scale=1.0, mean=cri3.MEAN, std=cri3.STD)
        scale = ladder.task.scale if "scale" in given else 1.0
        return Preprocess(scale=scale, mean=ladder.task.mean, std=ladder.task.std)
    if ladder.task.name is not None:
        known = task(ladder.task.name)
        return Preprocess(scale=known.scale, mean=known.mean, std=known.std)
    return Preprocess(scale=ladder.task.scale, mean=ladder.task.mean, std=ladder.task.std)


def preprocess_from(given: Mapping[str, Any]) -> Preprocess:
    """Preprocessing from what was typed; None means the default. Raises InputError."""
    try:
        return Preprocess(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise InputError(f"the preprocessing cannot be used: {explain(Preprocess, error)}") from error


def task_name(ladder: Ladder) -> str:
    """What the ladder learns, in a word."""
    return ladder.task.name or f"{ladder.task.train or ladder.task.magnets}"


def build_net(ladder: Ladder, rung: Rung, outputs: int, shape: tuple[int, ...]) -> nn.Module:
    """The rung's network for images (height, width, channels), freshly initialised.

    Raises CardError for a factory that does not work, and for images that the network cannot take.
    """
    need("torch", "train")
    from edgeval import nets

    if ladder.net.name in ("mobilenetv2", "resnet"):
        need("torchvision", "train")
    height, width, channels = shape
    if ladder.net.name is not None:
        try:
            size, stride = (height, width), ladder.net.stride
            return nets.build(ladder.net.name, rung.width, outputs, channels, size=size, stride=stride)
        except ValueError as error:
            hint = "choose another net, or images of another size"
            raise CardError(
                f"the net of {ladder.name} does not fit its images: {error}", seen=shape, hint=hint
            ) from error
    assert ladder.net.factory is not None
    folder = str(ladder.path.parent.resolve())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return nets.from_factory(ladder.net.factory, rung.width)
    except ValueError as error:
        raise CardError("the card's factory does not work", seen=error, hint=f"it is looked for in {folder}") from error


def need(module: str, extra: str) -> None:
    """Raise RuntimeMissing unless a module of an install extra is there."""
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise RuntimeMissing(f"{module} is not installed", hint=f"pip install 'edgeval-toolkit[{extra}]'")

"""A ladder: one network at several widths, the data it learns, how it is trained and what it is exported to."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from edgeval.errors import CardError
from edgeval.nets.rounding import channels
from edgeval.records.artifact import USUAL, Format
from edgeval.records.cards import Card, Record, find, read
from edgeval.records.fit import Fit
from edgeval.records.wanted import nearest

Precision = Literal["fp32", "bf16"]
NetName = Literal["scalecnn", "mobilenetv2", "fcn", "resnet", "vit"]
PREFIX: dict[str, str] = {"scalecnn": "c", "vit": "d"}  # w for the others


MAGNETS = "cri3"
SOURCES = ("name", "magnets", "train", "validation", "test")


class TaskSource(Record):
    """What is learned: a task by name, or the user's own training and test data with their preprocessing.

    magnets: a folder of `edgeval simulate cri3`, whose first `test_images` test and next `validation_images` validate;
    the task called cri3 is such a folder where downloads are kept. validation: own data that regressors validate on.
    """

    name: str | None = None
    train: str | None = None
    test: str | None = None
    validation: str | None = None
    magnets: str | None = None
    test_images: int = Field(default=2000, ge=1)
    validation_images: int = Field(default=1000, ge=1)
    scale: float = Field(default=1 / 255, gt=0)
    mean: tuple[float, ...] = (0.0,)
    std: tuple[Annotated[float, Field(gt=0)], ...] = (1.0,)

    @model_validator(mode="after")
    def _one_source(self) -> TaskSource:
        own = self.train is not None and self.test is not None
        if [self.name is not None, own, self.magnets is not None].count(True) != 1:
            raise ValueError(f"give either name, or both train and test, or magnets{self.seen}")
        usual = {key: type(self).model_fields[key].default for key in ("scale", "mean", "std")}
        given = [key for key, value in usual.items() if getattr(self, key) != value]
        if given and self.name is not None and not self.simulated:
            raise ValueError(
                f"{given[0]} of {self.name} is the task's own (seen: {getattr(self, given[0])}); leave it out"
            )
        return self

    @property
    def seen(self) -> str:
        """Which sources it names, for an error."""
        given = [f"{key} = {getattr(self, key)!r}" for key in SOURCES if getattr(self, key) is not None]
        return f" (seen: {', '.join(given) or 'none of them'})"

    @property
    def simulated(self) -> bool:
        """Whether these are the magnets of `edgeval simulate cri3`: pictures in -1..1."""
        return self.magnets is not None or self.name == MAGNETS


class Net(Record):
    """The network: one of ours by name, or `factory = "package.module:function"`, called with the width.

    stride: of the stem of `resnet`; 2 halves the image before the first stage, a quarter of the work.
    """

    name: NetName | None = None
    factory: str | None = Field(default=None, pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    checkpoint: str | None = None
    widths: tuple[Annotated[float, Field(gt=0, le=1024)], ...] = Field(min_length=1)
    stride: Literal[1, 2] = 1

    @model_validator(mode="after")
    def _sound(self) -> Net:
        if (self.name is None) == (self.factory is None):
            seen = "neither" if self.name is None else f"{self.name} and {self.factory}"
            raise ValueError(f"give either name or factory (seen: {seen})")
        if list(self.widths) != sorted(set(self.widths)):
            raise ValueError(f"widths must rise from small to large, each once{self._seen}")
        if self.name not in (None, "mobilenetv2") and any(w != int(w) for w in self.widths):
            raise ValueError(f"widths of {self.name} must be whole numbers{self._seen}")
        if self.stride != 1 and self.name != "resnet":
            raise ValueError(f"stride is of resnet's stem (seen: {self.name or self.factory}); leave it out")
        if self.name == "vit" and any(w % 4 for w in self.widths):
            raise ValueError(f"widths of vit must be multiples of 4, for its 4 heads{self._seen}")
        alike = [(a, b) for a, b in pairwise(self.widths) if self.name == "mobilenetv2" and channels(a) == channels(b)]
        if alike:
            raise ValueError("widths {:g} and {:g} round to the same channels".format(*alike[0]))
        return self

    @property
    def _seen(self) -> str:
        return f" (seen: {', '.join(f'{width:g}' for width in self.widths)})"

    def identity(self) -> dict[str, object]:
        """What of it decides the weights, but the width; a default that came later is not said: hashes stay."""
        return self.model_dump(exclude={"widths", "stride"} if self.stride == 1 else {"widths"})


class Recipe(Record):
    """How a rung is trained; the defaults are the recipe of arXiv 2603.07365 (PAPERS: data and training)."""

    protocol: str = Field(default="paper", min_length=1)
    epochs: int = Field(default=200, ge=1, le=100_000)
    batch: int = Field(default=128, ge=2, le=65_536)
    lr: float = Field(default=0.1, gt=0)
    lr_min: float = Field(default=1e-5, ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=5e-4, ge=0)
    augment: tuple[Literal["crop", "flip", "cutout"], ...] = ("crop", "flip", "cutout")
    precision: Precision = "fp32"
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**63)], ...] = Field(default=(0,), min_length=1)


class Exports(Record):
    """Which formats are exported, and with how many training images they are calibrated."""

    formats: tuple[Format, ...] = Field(default=USUAL, min_length=1)
    calibration_images: int = Field(default=256, ge=1, le=100_000)


class Rung(Record):
    """One width of a ladder; of a regressor, with one size of its training set."""

    name: str
    width: float
    images: int | None = None


class Ladder(Card):
    """A whole ladder card."""

    schema_: Literal["edgeval/ladder/1"] = Field(alias="schema")
    name: str = Field(pattern=r"^\w[\w.-]*$")
    summary: str = ""
    task: TaskSource
    net: Net
    train: Recipe = Recipe()
    regression: Fit | None = None
    export: Exports = Exports()

    @model_validator(mode="after")
    def _one_kind(self) -> Ladder:
        numbers = self.task.simulated or self.task.validation is not None
        if self.regression is None and numbers:
            raise ValueError(f"task has measured numbers{self.task.seen}; add a table [regression]")
        if self.regression is not None and not numbers:
            what = "regression needs magnets, or train, validation and test with measured numbers"
            raise ValueError(f"{what}{self.task.seen}")
        if self.regression is not None and (self.train != Recipe() or self.net.checkpoint is not None):
            seen = "net.checkpoint" if self.net.checkpoint is not None else "[train]"
            raise ValueError(f"regression stands in place of [train] and checkpoint (seen: {seen}); leave it out")
        return self

    @model_validator(mode="after")
    def _each_once(self) -> Ladder:
        """Here and not in the tables, which checkpoints keep: what was trained by an older card stays readable."""
        tables = {"train": self.train, "regression": self.regression, "export": self.export}
        for table, name in [(table, name) for table in tables for name in ("seeds", "rates", "augment", "formats")]:
            values = getattr(tables[table], name, ())
            if len(set(values)) != len(values):
                raise ValueError(f"{table}.{name} must hold each value once (seen: {list(values)})")
        fit = self.regression
        if fit is not None and "checks" in fit.model_fields_set and fit.checks > fit.updates:
            seen = f"checks = {fit.checks}, updates = {fit.updates}"
            raise ValueError(f"regression.checks must be at most regression.updates (seen: {seen})")
        if fit is not None and (fit.search_updates or 0) > fit.updates:
            seen = f"search_updates = {fit.search_updates}, updates = {fit.updates}"
            raise ValueError(f"regression.search_updates must be at most regression.updates (seen: {seen})")
        return self

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """All rungs, smallest first: `c4`; of a regressor `w128-n1000`, by width and then by training images."""
        names = [(f"{PREFIX.get(self.net.name or '', 'w')}{width:g}", width) for width in self.net.widths]
        if self.regression is None:
            return tuple(Rung(name=name, width=width) for name, width in names)
        sizes = self.regression.images
        return tuple(Rung(name=f"{name}-n{n}", width=width, images=n) for name, width in names for n in sizes)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that each rung is trained with."""
        return self.train.seeds if self.regression is None else self.regression.seeds

    @property
    def protocol(self) -> str:
        """The name of how the rungs are trained."""
        return self.train.protocol if self.regression is None else self.regression.protocol

    @property
    def typed(self) -> str:
        """How the user names this ladder on a command line."""
        return str(self.path) if self.explicit else self.name

    def rung(self, name: str) -> Rung:
        """The rung called `c4`, `4`, `w0.10` ...; raises CardError with the choices."""
        named = [rung for rung in self.rungs if name == rung.name]
        alike = named or [rung for rung in self.rungs if _width(name) == rung.width]
        if len(alike) == 1:
            return alike[0]
        names = [rung.name for rung in alike or self.rungs]
        raise CardError(
            f"{self.name} has no such rung", seen=name, hint=f"{nearest(name, names)}choose from {', '.join(names)}"
        )

    def beside(self, name: str) -> Path:
        """A path that the card names, relative to the card's own folder."""
        return self.path.parent / name


def _width(name: str) -> float | None:
    """The number in a rung's name, or None."""
    try:
        return float(name.lstrip("cdw"))
    except ValueError:
        return None


def load_ladder(name: str) -> Ladder:
    """The ladder called `name`, or at that path. Raises CardError."""
    path, explicit = find("models", name)
    ladder = read(Ladder, path, explicit=explicit)
    if ladder.net.factory and not explicit:
        raise CardError(
            "a card with a factory runs code, so it must be named by its path", seen=name, hint=f"write {path}"
        )
    return ladder

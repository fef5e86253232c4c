"""Networks that are taken together must be trained in one way, and those of one number of images on the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edgeval.errors import DataError
from edgeval.records.artifact import TORCH
from edgeval.records.regressors import Regressors


@dataclass(frozen=True)
class Learnt:
    """How a network came about: its size, and what `Regressor` keeps of its recipe and of its training images."""

    ladder: str
    net: str
    width: float
    images: int
    protocol: str
    mark: str
    train_sha256: str


def learnt(found: Regressors) -> Iterator[Learnt]:
    """Every network as trained; those of an older file, which does not say how, are left out."""
    for m in found.models:
        if m.source.format == TORCH and m.mark is not None and m.train_sha256 is not None:
            yield Learnt(m.ladder, m.net, m.width, m.images, m.protocol, m.mark, m.train_sha256)


def check_alike(networks: Iterable[Learnt]) -> None:
    """Raise DataError for other training images at one number of them, since a baseline there can belong to one set
    alone, and for other recipes under the name of one protocol, since their seeds would be pooled."""
    data: dict[int, Learnt] = {}
    ways: dict[tuple[str, float, int, str], Learnt] = {}
    for one in networks:
        first = data.setdefault(one.images, one)
        if first.train_sha256 != one.train_sha256:
            hint = "study these apart, each with its own --runs DIR"
            raise DataError(
                f"networks of {one.images:,} images learn from different ones", seen=_both(first, one), hint=hint
            )
        first = ways.setdefault((one.net, one.width, one.images, one.protocol), one)
        if first.mark != one.mark:
            what = f"{one.net} of width {one.width:g} on {one.images:,} images has two recipes under one protocol"
            hint = "give one card another protocol in its [regression], and run again: what is trained stays"
            if first.ladder == one.ladder:
                hint = f"train all of its seeds in one way: edgeval train {one.ladder} --overwrite"
            raise DataError(what, seen=f"{one.protocol}: {_both(first, one)}", hint=hint)


def _both(first: Learnt, second: Learnt) -> str:
    """The ladders, or the one."""
    return " and ".join(dict.fromkeys((first.ladder, second.ladder)))

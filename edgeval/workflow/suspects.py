"""The usual suspects: how images may have to be changed, or answers read, for a model to do as well as it should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeval.records.artifact import Preprocess
from edgeval.tasks.samples import Samples
from edgeval.workflow.models import Channels

Floats = NDArray[np.float32]
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_BGR = (103.939, 116.779, 123.68)


@dataclass(frozen=True)
class Way:
    """One way to make the model's input: its name, the formula, the channel order, height and width swapped or not."""

    name: str
    preprocess: Preprocess
    channels: Channels = "rgb"
    swapped: bool = False

    def inputs(self, images: NDArray[np.generic]) -> Floats:
        """(N, H, W, C) float32 in the data's channel order reversed where the model takes BGR."""
        if self.swapped:
            images = images.transpose(0, 2, 1, 3)
        if self.channels == "bgr":
            images = images[..., ::-1]
        mean, std = (np.array(value, np.float64) for value in (self.preprocess.mean, self.preprocess.std))
        made: Floats = ((images.astype(np.float64) * self.preprocess.scale - mean) / std).astype(np.float32)
        return made

    @property
    def flags(self) -> str:
        """What to type for it."""
        mean, std = (",".join(f"{v:.6g}" for v in value) for value in (self.preprocess.mean, self.preprocess.std))
        text = f"--scale {self.preprocess.scale:.8g} --mean {mean} --std {std}"
        return f"{text} --channels bgr" if self.channels == "bgr" else text

    @property
    def toml(self) -> str:
        """The same as MODEL.toml."""
        p = self.preprocess
        lines = [f"scale = {p.scale:.8g}", f"mean = {[float(f'{v:.6g}') for v in p.mean]}"]
        lines += [f"std = {[float(f'{v:.6g}') for v in p.std]}"]
        return "\n".join([*lines, *(['channels = "bgr"'] if self.channels == "bgr" else [])]) + "\n"


def ways(samples: Samples, given: Way) -> tuple[list[Way], list[Way]]:
    """Ways to try after the given one: first those that flags can mend, then the same with height and width swapped."""
    images = samples.images
    colour, square = images.shape[-1] == 3, images.shape[1] == images.shape[2]
    unit = 1.0 if images.dtype != np.uint8 and float(images.max()) <= 1.5 else 1 / 255
    mean = tuple(float(v) for v in images.mean(axis=(0, 1, 2)) * unit)
    std = tuple(max(float(v), 1e-6) for v in images.std(axis=(0, 1, 2)) * unit)
    found = [given, *_scales(unit), Way("mean and std of the data", Preprocess(scale=unit, mean=mean, std=std))]
    if colour:
        found.append(Way("ImageNet mean and std", Preprocess(scale=unit, mean=IMAGENET[0], std=IMAGENET[1])))
        found.append(Way("Caffe mean, BGR", Preprocess(scale=unit * 255, mean=CAFFE_BGR), "bgr"))
        found += [_other(way) for way in found]
    turned = [replace(way, name=f"{way.name}, height and width swapped", swapped=True) for way in found if square]
    return found[1:], turned


def _scales(unit: float) -> list[Way]:
    """The three common ranges of pixels; unit brings the data's to 0..1."""
    half = Preprocess(scale=unit, mean=(0.5,), std=(0.5,))
    return [
        Way("pixels 0..1", Preprocess(scale=unit)),
        Way("pixels 0..255", Preprocess(scale=unit * 255)),
        Way("pixels -1..1", half),
    ]


def _other(way: Way) -> Way:
    """The same pixels with the channels the other way round: each keeps its mean and std."""
    p = way.preprocess
    swapped = Preprocess(scale=p.scale, mean=p.mean[::-1], std=p.std[::-1])
    name = f"{way.name.removesuffix(', BGR')}, {'BGR' if way.channels == 'rgb' else 'RGB'}"
    return replace(way, name=name, preprocess=swapped, channels="bgr" if way.channels == "rgb" else "rgb")


@dataclass(frozen=True)
class Order:
    """One way to read the answers: what it is called, the class of each output (-1: none), and what mends it."""

    name: str
    classes: NDArray[np.int64]
    mend: str = ""


def orders(outputs: int, class_names: tuple[str, ...]) -> Iterator[Order]:
    """Readings of `outputs` columns for these classes: as they are, then sorted otherwise, then shifted by one."""
    count = len(class_names)
    index = np.arange(outputs)
    surplus = "" if outputs <= count else "name all classes of the model in classes.txt (or class_names in the .npz)"
    yield Order("", np.where(index < count, index, -1), surplus)
    if outputs == count:
        yield from _sorted(class_names)
    if outputs == count + 1:
        mend = "output 0 is a background class: name it on the first line of classes.txt, or add 1 to y in the .npz"
        yield Order("output 0 is background", index - 1, mend)
        return
    yield Order("labels one too low", _shifted(index, -1, count), "add 1 to the labels (the class names move along)")
    yield Order("labels one too high", _shifted(index, 1, count), "take 1 from the labels (the class names move along)")


def _sorted(class_names: tuple[str, ...]) -> Iterator[Order]:
    """Orders in which another program may have read the class folders."""
    count = len(class_names)
    named = {
        "classes sorted as numbers (2 before 10)": sorted(range(count), key=lambda at: _natural(class_names[at])),
        "classes sorted as words (10 before 2)": sorted(range(count), key=lambda at: class_names[at]),
    }
    for name, order in named.items():
        if order != list(range(count)):
            words = " ".join(class_names[at] for at in order[:4])
            mend = f"list the classes in the model's order in classes.txt (or class_names in the .npz): {words} ..."
            yield Order(name, np.array(order), mend)


def _shifted(index: NDArray[np.int64], by: int, count: int) -> NDArray[np.int64]:
    """Class of each output with everything moved, the ends joined where sizes agree."""
    moved = index + by
    if len(index) == count:
        return moved % count
    inside: NDArray[np.int64] = np.where((moved >= 0) & (moved < count), moved, -1)
    return inside


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts numbers inside names by value."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]

"""Where answers of the same file differ between processors and kernels: x86, and emulated Cortex-A72 and A76.

    python tests/benchmarks/numerics.py --data cifar10.npz --scale 1 resnet8_int8.tflite resnet8_float.tflite
    python tests/benchmarks/numerics.py --ladder scalecnn-digits100 --rung c8 --runs runs

DATA is an .npz with `x` (N, H, W, C) uint8 and `y`. Each row compares with this computer's default kernels, and with
the same kernels on this computer: rows with another output, the largest difference (in steps of the output's grid for
int8 files), top-1 answers that flipped, and the Jaccard index J of the two error sets. Reference kernels are slow under
emulation: --few images for those. What has run is kept in --kept, so that a run that was ended goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgeval.measures.overlap import flips, jaccard
from edgeval.records.artifact import Preprocess
from edgeval.records.ladder import load_ladder
from edgeval.records.predictions import Predictions
from edgeval.records.reporter import Silent
from edgeval.store import Store
from edgeval.tasks.samples import Samples
from edgeval.workflow.artifact import Model, rung_model
from edgeval.workflow.bench import open_bench
from edgeval.workflow.data import load_split
from edgeval.workflow.partial import subset
from edgeval.workflow.run import run_model

PLACES = ("desktop", "pi4-emulated", "pi5-emulated")
SHOWN = {"desktop": "x86", "pi4-emulated": "Cortex-A72", "pi5-emulated": "Cortex-A76"}
HEAD = (
    "| file | where | kernels | images | rows that differ from x86 auto | by | flips | J "
    "| from the same kernels on x86 | by | flips | J |"
)


@dataclass(frozen=True)
class Case:
    """One file somewhere with some kernels."""

    place: str
    kernels: str
    images: int


def cases(suffix: str, images: int, few: int) -> Iterator[Case]:
    """The default on x86 first; ONNX Runtime has one family of kernels."""
    for place in PLACES:
        for kernels in ("auto",) if suffix == ".onnx" else ("auto", "builtin", "reference"):
            yield Case(place, kernels, few if place != "desktop" and kernels == "reference" else images)


def answer(model: Model, samples: Samples, case: Case, kept: Store) -> Predictions:
    """The answers of one case."""
    with open_bench(case.place) as bench:
        runtime = bench.target.runtime.model_copy(update={"kernels": case.kernels, "threads": 1})
        chosen = replace(bench, target=bench.target.changed(runtime=runtime))
        return run_model(model, samples, chosen, kept, Silent())[0]


def line(model: Model, case: Case, bases: dict[str, Predictions], found: Predictions) -> str:
    """One row of the table: against the default on x86, and against the same kernels there."""
    name = model.name if model.name == model.path.name else f"{model.name} {model.format}"
    where = f"{name} | {SHOWN[case.place]} | {case.kernels} | {len(found):,}"
    return f"| {where} | {against(bases['auto'], found)} | {against(bases[case.kernels], found)} |"


def against(base: Predictions, found: Predictions) -> str:
    """Rows that differ, the largest difference, top answers that flipped, and J of the error sets."""
    part = base.take(np.arange(len(found)))
    assert part.outputs is not None
    assert found.outputs is not None
    gap = np.abs(found.outputs.astype(np.float64) - part.outputs)
    if not gap.any():
        return "none | - | 0 | 1"
    scale = (found.source.runtime or {})["output"]["scale"]
    most = f"{round(gap.max() / scale)} steps" if scale else f"{gap.max():.1e}"
    moved, same = int((found.classes != part.classes).sum()), jaccard(flips(part.correct, found.correct))
    return f"{int((gap > 0).any(axis=1).sum()):,} | {most} | {moved} | {'-' if same is None else f'{same:.3f}'}"


def models(asked: argparse.Namespace) -> Iterator[tuple[Model, Samples]]:
    """What is to be run, with its images."""
    if asked.ladder:
        ladder, store = load_ladder(asked.ladder), Store(asked.runs)
        samples = load_split(ladder, "test", Silent().bar(""))
        for fmt in asked.format:
            yield rung_model(store, ladder, ladder.rung(asked.rung), 0, fmt), subset(samples, asked.images)
        return
    with np.load(asked.data) as data:
        x, y = data["x"][: asked.images], data["y"][: asked.images].astype(np.int64)
    names = tuple(map(str, range(int(y.max()) + 1)))
    samples = Samples(x, y, tuple(map(str, range(len(x)))), names)
    for path in asked.files:
        yield Model(path, path.name, path.suffix[1:], Preprocess(scale=asked.scale)), samples


def main() -> None:
    """Print the table in Markdown, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--scale", type=float, default=1 / 255)
    parser.add_argument("--ladder")
    parser.add_argument("--rung", default="c8")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--format", nargs="*", default=["tflite-int8", "tflite-fp32", "onnx-fp32", "onnx-int8"])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--few", type=int, default=50)
    parser.add_argument("--kept", type=Path, default=Path("numerics-runs"))
    asked = parser.parse_args()
    print(HEAD, "|---|---|---|---|---|---|---|---|---|---|---|---|", sep="\n", flush=True)
    for model, samples in models(asked):
        bases: dict[str, Predictions] = {}
        for case in cases(model.path.suffix, asked.images, asked.few):
            part = samples.take(range(case.images)) if case.images < len(samples) else samples
            found = answer(model, part, case, Store(asked.kept))
            bases.setdefault(case.kernels, found)
            print(line(model, case, bases, found), flush=True)


if __name__ == "__main__":
    main()

"""How often the intervals that edgeval shows hold the truth: simulated coverage at nominal 95%, and both tails at 90%.

    python tests/benchmarks/coverage.py --runs 150 --resamples 400 > coverage.md

A population is C classes whose reference accuracies spread around 0.7; samples differ in difficulty, which both sides
share in part. `good` confidences are the true chances of being right, `slight` and `bad` are overconfident. Sides are
`equal` (two draws of one model that agree on most samples), `unequal` (the candidate is worse, on some classes more
than on others, and calibrated otherwise) or `damaged` (equal but for three classes that lose 30 to 40 points). The
truth is the population's: class accuracies, and binned ECE with endless samples.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.intervals import alone, between
from edgeval.compare.side import BOTTOMS, Facts
from edgeval.measures import accuracy, calibration, overlap, paired

Floats = NDArray[np.float64]
TEMPERATURES = {"good": 1.0, "slight": 1.2, "bad": 2.0}
OTHER = {"good": 1.5, "slight": 1.0, "bad": 1.4}
TRUTH = 500_000


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


@dataclass(frozen=True)
class World:
    """(C,) ability of each class on both sides, and how much sharper than the truth confidences are."""

    ability: tuple[Floats, Floats]
    sharpness: tuple[float, float]

    def chances(self, labels: NDArray[np.int64], rng: np.random.Generator) -> tuple[Floats, Floats]:
        """(N,) chance of being right of each sample on both sides."""
        hard = rng.standard_normal(len(labels))
        other = 0.95 * hard + np.sqrt(1 - 0.95**2) * rng.standard_normal(len(labels))
        return sigmoid(self.ability[0][labels] + 1.5 * hard), sigmoid(self.ability[1][labels] + 1.5 * other)

    def confidence(self, chance: Floats, side: int) -> Floats:
        """The confidence that the model states, given its chance."""
        return sigmoid(np.log(chance / (1 - chance)) * self.sharpness[side])

    def draw(self, labels: NDArray[np.int64], rng: np.random.Generator) -> tuple[Facts, Facts]:
        """Both sides of samples with these labels."""
        chances = self.chances(labels, rng)
        luck = rng.random(len(labels))
        other = np.where(rng.random(len(labels)) < 0.9, luck, rng.random(len(labels)))
        rest = rng.beta(0.5, 4, len(labels))
        return self._facts(labels, chances, luck, rest, 0), self._facts(labels, chances, other, rest, 1)

    def _facts(
        self, labels: NDArray[np.int64], chances: tuple[Floats, Floats], luck: Floats, rest: Floats, side: int
    ) -> Facts:
        right = luck < chances[side]
        top = self.confidence(chances[side], side)
        terms = {"top5": (luck < np.sqrt(chances[side])).astype(float), **costs(top, right, rest)}
        return Facts(labels, len(self.ability[0]), right, top, terms)


def costs(top: Floats, right: Any, rest: Floats) -> dict[str, Floats]:
    """NLL and Brier of answers of this confidence; a wrong one leaves the label a share `rest` of what remains."""
    own = np.where(right, top, np.maximum((1 - top) * rest, calibration.CLIP))
    return {"nll": -np.log(own), "brier": (1 - own) ** 2 + np.where(right, (1 - top) ** 2 / 4, top**2)}


def world(classes: int, calibrated: str, sides: str) -> World:
    """The population of one cell of the table, always the same."""
    rng = np.random.default_rng(7)
    from scipy.stats import norm

    first = 1.2 + 0.6 * norm.ppf((np.arange(classes) + 0.5) / classes)
    second, sharp = first.copy(), TEMPERATURES[calibrated]
    if sides == "unequal":
        second = first - 0.3 + 0.25 * rng.standard_normal(classes)
    if sides == "damaged":
        second[np.array([1, 5, 8]) * classes // 10] -= 2.0
    return World((first, second), (sharp, OTHER[calibrated] if sides == "unequal" else sharp))


def truth(place: World, seed: int = 1) -> tuple[dict[str, float], dict[str, float], float]:
    """Population values of both sides, and of J; chances stand in for outcomes wherever that is exact."""
    classes = len(place.ability[0])
    labels = np.repeat(np.arange(classes), TRUTH // classes)
    rng = np.random.default_rng(seed)
    chances, rest = place.chances(labels, rng), rng.beta(0.5, 4, len(labels))
    found = []
    for side in (0, 1):
        by_class = accuracy.class_accuracy(chances[side], labels, classes)  # type: ignore[arg-type]
        sure = place.confidence(chances[side], side)
        values = {"top1": float(chances[side].mean()), "gini": float(accuracy.gini(by_class))}
        values |= {name: float(accuracy.bottom(by_class, k)) for name, k in BOTTOMS.items()}
        won, lost = costs(sure, True, rest), costs(sure, False, rest)
        values |= {k: float((chances[side] * won[k] + (1 - chances[side]) * lost[k]).mean()) for k in won}
        values["top5"] = float(np.sqrt(chances[side]).mean())
        for name, index in (("ece", calibration.bin_index(sure)), ("ece_equal_mass", calibration.mass_index(sure))):
            gaps = np.bincount(index, weights=chances[side] - sure, minlength=calibration.BINS)
            values[name] = float(np.abs(gaps).sum() / len(labels))
        found.append(values)
    one, two = chances
    both = 0.9 * (1 - np.maximum(one, two)) + 0.1 * (1 - one) * (1 - two)
    return found[0], found[1], float(both.sum() / ((1 - one) + (1 - two) - both).sum())


Ends = tuple[float, float]


def intervals(a: Facts, b: Facts, seed: int, resamples: int) -> Iterator[tuple[str, str, Ends, Ends]]:
    """(kind, measure, interval at 95%, interval at 90%) of everything shown."""
    n, table = len(a), overlap.flips(a.correct, b.correct)
    right = int(a.correct.sum())
    yield "single", "top1", *(paired.wilson(right, n, c) or (0.0, 1.0) for c in (0.95, 0.9))
    union = table.lost + table.gained + table.both_wrong
    yield "single", "jaccard", *(paired.wilson(table.both_wrong, union, c) or (0.0, 1.0) for c in (0.95, 0.9))
    if hasattr(paired, "tango"):
        yield "delta", "top1", *(paired.tango(table.lost, table.gained, n, c) for c in (0.95, 0.9))
    for name, found in alone(a, seed=seed, resamples=resamples).items():
        yield "single", name, found.interval(0.95), found.interval(0.9)
    for name, found in between(a, b, seed=seed, resamples=resamples).items():
        yield "delta", name, found.interval(0.95), found.interval(0.9)


def cell(place: World, n: int, runs: int, resamples: int) -> dict[tuple[str, str], Floats]:
    """(kind, measure) -> coverage at 95%, share of truths under and over the 90% interval, and mean width at 95%."""
    one, two, shared = truth(place)
    truths = {("single", k): v for k, v in one.items()} | {("delta", k): two[k] - one[k] for k in one}
    truths["single", "jaccard"] = shared
    labels = np.repeat(np.arange(len(place.ability[0])), n // len(place.ability[0]))
    seen = defaultdict(list)
    for run in range(runs):
        a, b = place.draw(labels, np.random.default_rng([run, n]))
        for kind, name, wide, narrow in intervals(a, b, run, resamples):
            t = truths[kind, name]
            seen[kind, name].append(
                [
                    wide[0] - 1e-12 <= t <= wide[1] + 1e-12,
                    t < narrow[0] - 1e-12,
                    t > narrow[1] + 1e-12,
                    wide[1] - wide[0],
                ]
            )
    return {key: np.array(rows, dtype=float).mean(axis=0) for key, rows in seen.items()}


CASES = (  # class accuracies do not depend on calibration
    *itertools.product(("good", "bad"), ("equal", "unequal")),
    ("slight", "unequal"),
    ("good", "damaged"),
)
SIZES = ((1000, 10), (1000, 100), (10_000, 100))

EXTRA = (3000, 100)  # only when asked for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=150)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--quick", action="store_true", help="40 runs a cell: a look, not a result")
    parser.add_argument("--only", default="", help="measures to print, by comma")
    parser.add_argument("--images", type=int, default=0, help="only this n: 1000, 3000 or 10000")
    args = parser.parse_args()
    runs = 40 if args.quick else args.runs
    print("| n | classes | confidences | sides | interval | measure | coverage at 95% | under 90% | over 90% | width |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    sizes = [size for size in (*SIZES, EXTRA) if args.images == size[0]] if args.images else SIZES
    for (n, classes), (calibrated, sides) in itertools.product(sizes, CASES):
        began = time.monotonic()
        for (kind, name), row in cell(world(classes, calibrated, sides), n, runs, args.resamples).items():
            if (kind == "single" and sides != "equal" and name != "jaccard") or (
                args.only and name not in args.only.split(",")
            ):
                continue
            where = f"| {n:,} | {classes} | {calibrated} | {sides} | {kind} | {name} |"
            print(where, f"{row[0]:.3f} | {row[1]:.3f} | {row[2]:.3f} | {row[3]:.4f} |", flush=True)
        print(f"{n} {classes} {calibrated} {sides}: {time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()

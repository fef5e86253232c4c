"""Bootstrap of a whole report, ours against scipy.stats.bootstrap on the same scheme, in turns within one run.

    python tests/benchmarks/bootstrap.py --sizes 10000 100000 1000000

Accuracy, ECE, Gini and bottom-5 of both sides with their differences, Jaccard and flips; 10,000 unstratified resamples,
percentile intervals, 100 classes. scipy runs twice: `paired`, a vectorised statistic of the five arrays of a report
(labels, right and confidence of both sides), and `tuned`, where one array of positions is resampled and the statistic
looks up cells, bins and gaps that were computed once. Its cost is linear in the number of resamples, so beyond
`--budget` sample draws it runs fewer and its seconds are scaled up; the output says so. Times are CPU seconds. The
required ratios against `paired` are 10, 30 and 300. `--memory` instead prints the peak memory of the shipped report
beyond its inputs, at N = 1,000,000 and 100 classes, in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # CPU seconds are compared: idle threads that spin would count

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from edgeval.compare.side import Facts
from edgeval.measures import accuracy, calibration, resample
from edgeval.measures.resample import Term

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CLASSES, BINS, RESAMPLES = 100, calibration.BINS, 10_000
NEEDED = {10_000: 10, 100_000: 30, 1_000_000: 300}
NAMES = ("accuracy", "gini", "bottom5", "ece")


def samples(n: int, seed: int = 0) -> tuple[Facts, Facts]:
    """Two models that share most of their errors; overconfident, 100 classes of unequal difficulty."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, n)
    skill = 1 + 0.7 * rng.standard_normal(CLASSES)[labels] + 1.5 * rng.standard_normal(n)
    luck, facts = rng.random(n), []
    for less in (0.0, 0.2):
        other = np.where(rng.random(n) < 0.9, luck, rng.random(n))
        right = other < 1 / (1 + np.exp(less - skill))
        facts.append(Facts(labels, CLASSES, right, 1 / (1 + np.exp(1.5 * (less - skill))), {}))
    return facts[0], facts[1]


def report(tables: Ints, ece: tuple[Floats, Floats]) -> Floats:
    """(14, B) statistics from (B, K, 4) class tables and both sides' ECE."""
    sizes = tables.sum(axis=2)
    rows = []
    for mine, one in (((0, 1), ece[0]), ((0, 2), ece[1])):
        right = tables[..., mine[0]] + tables[..., mine[1]]
        by_class = right / np.maximum(sizes, 1)
        rows += [right.sum(axis=1) / sizes.sum(axis=1), accuracy.gini(by_class), accuracy.bottom(by_class, 5), one]
    rows += [rows[4 + i] - rows[i] for i in range(4)]
    lost, gained, wrong = (tables[..., i].sum(axis=1) for i in (1, 2, 3))
    return np.array([*rows, wrong / (lost + gained + wrong), lost + gained])


def ours(a: Facts, b: Facts) -> Floats:
    """(14, 2) percentile intervals by class tables and normal bin sums."""
    counts = np.bincount(a.labels * 4 + 2 * ~a.correct + ~b.correct, minlength=4 * CLASSES).reshape(-1, 4)
    assert a.confidences is not None
    assert b.confidences is not None
    terms = [Term(x.correct - x.confidences, calibration.bin_index(x.confidences), BINS) for x in (a, b)]
    drawn = resample.sums({"ece": terms}, a.labels, resamples=RESAMPLES, pooled=True).pop("ece").draws
    size = np.abs(drawn) / len(a)
    ece = size[:, :BINS].sum(axis=1), size[:, BINS:].sum(axis=1)
    parts, at = [], 0
    for block in resample.pooled_tables(counts, RESAMPLES):
        rows = slice(at, at := at + len(block))
        parts.append(report(block, (ece[0][rows], ece[1][rows])))
    return np.quantile(np.concatenate(parts, axis=1), [0.025, 0.975], axis=1).T


def counted(codes: Ints, width: int, weights: Floats | None = None) -> Floats:
    """(B, width) how often, or with how much weight, each code stands in each row of (B, N) codes."""
    rows = codes + width * np.arange(len(codes))[:, None]
    flat = None if weights is None else weights.ravel()
    return np.bincount(rows.ravel(), weights=flat, minlength=width * len(codes)).reshape(len(codes), width)


def gap(index: Ints, gaps: Floats) -> Floats:
    """(B,) ECE from (B, N) bins and right minus confidence."""
    return np.abs(counted(index, BINS, gaps)).sum(axis=1) / index.shape[1]


def cells(labels: Ints, one: NDArray[np.bool_], two: NDArray[np.bool_]) -> Ints:
    """The cell of each sample among class x (reference right?) x (candidate right?)."""
    return labels * 4 + 2 * ~one + ~two


def from_cells(codes: Ints, ece: tuple[Floats, Floats]) -> Floats:
    """(14, B) statistics of (B, N) cells."""
    return report(counted(codes, 4 * CLASSES).reshape(-1, CLASSES, 4), ece)


def paired(a: Facts, b: Facts, options: dict[str, Any]) -> Any:
    """scipy on the arrays of a report."""

    def statistic(labels: Ints, one: Any, two: Any, sure: Floats, sure_too: Floats, axis: int = -1) -> Floats:
        shape = labels.shape[:-1]
        labels, one, two, sure, sure_too = map(np.atleast_2d, (labels, one, two, sure, sure_too))
        bins = [np.clip(np.ceil(x * BINS).astype(np.int64) - 1, 0, BINS - 1) for x in (sure, sure_too)]
        found = from_cells(cells(labels, one, two), (gap(bins[0], one - sure), gap(bins[1], two - sure_too)))
        return found.reshape(-1, *shape)

    return bootstrap((a.labels, a.correct, b.correct, a.confidences, b.confidences), statistic, paired=True, **options)


def tuned(a: Facts, b: Facts, options: dict[str, Any]) -> Any:
    """scipy on positions."""
    code, bins = cells(a.labels, a.correct, b.correct), [calibration.bin_index(x.confidences) for x in (a, b)]
    gaps = [x.correct - x.confidences for x in (a, b)]

    def statistic(drawn: Ints, axis: int = -1) -> Floats:
        shape, drawn = drawn.shape[:-1], np.atleast_2d(drawn)
        first, second = (gap(i[drawn], g[drawn]) for i, g in zip(bins, gaps, strict=True))
        return from_cells(code[drawn], (first, second)).reshape(-1, *shape)

    return bootstrap((np.arange(len(a)),), statistic, **options)


def scipys(way: Callable[[Facts, Facts, dict[str, Any]], Any], a: Facts, b: Facts, resamples: int) -> Floats:
    """(14, 2) percentile intervals by scipy.stats.bootstrap."""
    batch = max(1, min(resamples, 1_000_000 // len(a)))
    options = {"n_resamples": resamples, "batch": batch, "vectorized": True, "method": "percentile"}
    ends = way(a, b, options | {"rng": np.random.default_rng(1)}).confidence_interval
    return np.array([ends.low, ends.high]).T


def compared(n: int, rounds: int, budget: float) -> bool:
    """Print seconds, ratios and agreement at one size; whether the required ratio was reached and intervals agree."""
    a, b = samples(n)
    fewer = int(max(20, min(RESAMPLES, budget / n)))
    ways = {"ours": lambda: ours(a, b), "paired": lambda: scipys(paired, a, b, fewer)}
    ways["tuned"] = lambda: scipys(tuned, a, b, fewer)
    spent, found = defaultdict(list), {}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.process_time()
            found[name] = way()
            spent[name].append((time.process_time() - began) * (1 if name == "ours" else RESAMPLES / fewer))
    scaled = "" if fewer == RESAMPLES else f"; scipy scaled from {fewer} resamples"
    print(f"N = {n:,}: ours {median(spent['ours']):.2f} s, required ratio {NEEDED.get(n, '-')}{scaled}")
    fine = True
    for name in ("paired", "tuned"):
        ratios = sorted(t / m for m, t in zip(spent["ours"], spent[name], strict=True))
        # A 2.5% quantile of B draws of a normal has standard error 2.67 sd / sqrt(B), and the width is 3.92 sd.
        sd = (found["ours"][:, 1] - found["ours"][:, 0]) / 3.92
        error = sd * 2.67 * np.sqrt(1 / fewer + 1 / RESAMPLES)
        off = (np.abs(found["ours"] - found[name]).max(axis=1) / error).max()
        print(f"  scipy {name} {median(spent[name]):.1f} s, ratio {median(ratios):.1f} ", end="")
        print(f"({ratios[0]:.1f} to {ratios[-1]:.1f}); ends within {off:.1f} Monte-Carlo standard errors")
        fine &= bool(off < 4.5) and (name == "tuned" or median(ratios) >= NEEDED.get(n, 0))
    return fine


def memory() -> None:
    """Print the peak memory of a comparison beyond its two tables."""
    from edgeval.compare.pair import compare
    from edgeval.records.predictions import Source, from_outputs

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    n, rng, tables = 1_000_000, np.random.default_rng(0), []
    labels = rng.integers(0, CLASSES, n)
    names, ids = tuple(f"class {i}" for i in range(CLASSES)), tuple(map(str, range(n)))
    shared = rng.standard_normal((n, CLASSES), dtype=np.float32)
    for noise in (0.3, 0.6):
        outputs = rng.standard_normal((n, CLASSES), dtype=np.float32)
        outputs *= np.float32(noise)
        outputs += shared
        outputs[np.arange(n), labels] += 2
        source = Source(name=f"noise {noise}", format="torch")
        tables.append(from_outputs(outputs, labels, kind="logits", class_names=names, ids=ids, source=source))
    shared.resize((0, 0), refcheck=False)
    held = current()
    began, before = time.process_time(), peak()
    compare(tables[0], tables[1])
    print(f"inputs {held:.0f} MiB, peak before {before:.0f} MiB, peak {peak():.0f} MiB: ", end="")
    print(f"{peak() - held:.0f} MiB beyond the inputs, {time.process_time() - began:.1f} CPU seconds")


def current() -> float:
    """MiB that this process holds now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=2e8, help="sample draws that scipy may make in a round")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--memory-here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory_here:
        memory()
    elif args.memory:
        subprocess.run([sys.executable, __file__, "--memory-here"], check=True)
    elif False in [compared(n, args.rounds, args.budget) for n in args.sizes]:
        raise SystemExit("a required ratio was missed, or intervals differ")


if __name__ == "__main__":
    main()

"""How often rules about many classes cry wolf, and whether they see real damage:

    python tests/benchmarks/family_error.py > docs/results/family-error.md

Every class has as many images, and each image is lost or gained independently. Two minutes of one core.
"""

from __future__ import annotations

import argparse
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from edgeval.measures.families import damage_p, others_share, worst_class
from edgeval.measures.paired import benjamini_hochberg, mcnemar_each, tango_z, z_value

MARGIN, LEVEL, FLIPS = 0.05, 0.05, 0.03
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TITLE = """# Many classes: false alarms and power

`python tests/benchmarks/family_error.py`; {runs:,} runs a row (standard error at 5%: {error:.1%}). {flips:.0%} of the
images flip each way in every class, damaged classes lose more. Columns:

- plain: "no class may lose {points:g} points", as observed;
- worst class: the sign-flip test of `worst_class`, p <= {level:g}; and how often the class it names is a damaged one;
- rule on every class: a FAIL of `class_accuracy` without names: the worst class by the same test, in which the flips of
  each class are losses as often as those of the others, and its own one-sided interval outside {points:g} points;
- Holm: any class with a Holm-adjusted test of "lost at most {points:g} points" at {level:g} or under (a FAIL of
  named classes); of classes that did not lose that much: the family-wise error;
- q: any class with a Benjamini-Hochberg q <= {level:g} (for exploring; it decides nothing);
- all pass: every class has its one-sided 95% bound inside the margin (a PASS of named classes).

| classes x images | true change | plain | worst class | a damaged one | rule on every class | \
Holm, any | Holm, undamaged | q | all pass |
|---|---|---|---|---|---|---|---|---|---|"""
# classes, images, damaged classes, points more that they lose
ROWS = [
    (100, 100, 0, 0),
    (10, 1000, 0, 0),
    (1000, 50, 0, 0),
    (100, 100, 100, 2),
    (100, 100, 100, 4),
    (100, 100, 3, 10),
    (100, 100, 3, 20),
    (10, 1000, 1, 5),
    (10, 1000, 10, 5),
    (5, 3000, 0, 0),
    (5, 3000, 1, 5),
]


exact = cache(damage_p)


def damage(z: Floats, lost: Ints, gained: Ints, images: int) -> Floats:
    """`damage_p` of (R, C) classes; the normal tail will do where nothing is near being rejected."""
    p = np.asarray(ndtr(z))
    for at in zip(*np.nonzero(z < -1.5), strict=True):
        p[at] = exact(int(lost[at]), int(gained[at]), images, MARGIN)
    return p


def any_rejected(p: Floats, among: Bools) -> Bools:
    """(R,) whether Holm rejects any of the classes in `among` (C,), from (R, C) p-values."""
    order = np.argsort(p, axis=1)
    limits = LEVEL / np.arange(p.shape[1], 0, -1)
    rejected = np.logical_and.accumulate(np.take_along_axis(p, order, axis=1) <= limits, axis=1)
    found: Bools = (rejected & among[order]).any(axis=1)
    return found


def fails(lost: Ints, gained: Ints, z: Floats) -> bool:
    """Whether the rule on every class fails; z: (C,) Tango's statistic at the margin."""
    index, p = worst_class(lost, gained, others_share(lost, gained))
    return p <= LEVEL and bool(z[index] <= -z_value(1 - LEVEL))


def row(rng: np.random.Generator, runs: int, *, classes: int, images: int, damaged: int, more: float) -> list[float]:
    """Shares of the runs in which each rule fires."""
    p_lost = np.full(classes, FLIPS)
    p_lost[:damaged] += more
    lost = rng.binomial(images, p_lost, (runs, classes))
    gained = rng.binomial(images - lost, FLIPS / (1 - p_lost))
    z = np.concatenate([tango_z(a, b, images, -MARGIN) for a, b in zip(lost, gained, strict=True)]).reshape(runs, -1)
    p = damage(z, lost, gained, images)
    worst = [worst_class(a, b) for a, b in zip(lost, gained, strict=True)]
    fires = np.array([value <= LEVEL for _, value in worst])
    named = np.array([index < damaged for index, _ in worst])
    sound = p_lost - FLIPS <= MARGIN
    q = [benjamini_hochberg(mcnemar_each(a, b)).min() <= LEVEL for a, b in zip(lost, gained, strict=True)]
    return [
        float((lost - gained >= MARGIN * images).any(axis=1).mean()),
        float(fires.mean()),
        float(named[fires].mean()) if damaged and fires.any() else float("nan"),
        float(np.mean([fails(*one) for one in zip(lost, gained, z, strict=True)])),
        float(any_rejected(p, np.ones(classes, bool)).mean()),
        float(any_rejected(p, sound).mean()),
        float(np.mean(q)),
        float((z >= z_value(0.95)).all(axis=1).mean()),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    runs = parser.parse_args().runs
    error = (LEVEL * (1 - LEVEL) / runs) ** 0.5
    print(TITLE.format(runs=runs, error=error, flips=FLIPS, points=100 * MARGIN, level=LEVEL))
    for seed, (classes, images, damaged, points) in enumerate(ROWS):
        rng = np.random.default_rng(seed)
        shares = row(rng, runs, classes=classes, images=images, damaged=damaged, more=points / 100)
        change = f"{damaged} lose {points} points more" if damaged else "none"
        cells = ["" if np.isnan(x) else f"{x:.1%}" for x in shares]
        print(f"| {classes} x {images} | {change} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

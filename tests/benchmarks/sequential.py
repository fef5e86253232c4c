"""How right and how early the sequential gate stops:

    python tests/benchmarks/sequential.py --images 2000
    python tests/benchmarks/sequential.py --images 10000

Each run draws N images of a model with a true drop (so the full set's own drop varies about it), shows them in random
order, looks after every batch, and compares what it stops with to the fixed verdict on all N. Runs at the margin go on
to the end after they stopped, so that coverage is that of every look. Seconds of one core a run: 0.02 and 0.08.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from edgeval.measures.sequential import ALPHA, Sequence, fixed_verdict

HEAD = """| N | margin | discordant | true drop | runs | covered at every look | as the verdict on all N | PASS | \
FAIL | INCONCLUSIVE | fixed gate alone: PASS | images used, mean | median |
|---|---|---|---|---|---|---|---|---|---|---|---|---|"""
# N, batch, margin, discordance, true drop in margins
ROWS = [
    *((10_000, 200, 0.01, 0.05, drop) for drop in (1.0, 0.0, 0.5, 2.0)),
    *((2_000, 100, 0.02, 0.05, drop) for drop in (1.0, 0.0, 0.5, 2.0)),
    *((10_000, 200, 0.02, 0.05, drop) for drop in (0.0, 0.5, 2.0)),
    *((10_000, 200, 0.01, discordance, 0.0) for discordance in (0.03, 0.06)),
]


@dataclass
class Tally:
    """What many runs came to."""

    covered: int = 0
    agreed: int = 0
    fixed_pass: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    used: list[int] = field(default_factory=list)


def play(
    rng: np.random.Generator, tally: Tally, *, n: int, batch: int, margin: float, discordance: float, drop: float
) -> None:
    """One run."""
    u, losing = rng.random(n), (discordance + drop) / 2
    lost, gained = u < losing, (u >= losing) & (u < discordance)
    pair = (int(lost.sum()), int(gained.sum()))
    verdict_of = fixed_verdict(n, margin, 0.95)
    sequence, stopped, covered = Sequence(n), None, True
    for start in range(0, n, batch):
        sequence.add(lost[start : start + batch], gained[start : start + batch])
        covered &= pair in sequence.region()
        if stopped is None and (stopped := sequence.certain(verdict_of)):
            tally.used.append(min(n, start + batch))
            tally.verdicts[stopped] += 1
            tally.agreed += stopped == verdict_of(*pair)
        if stopped and drop != margin:
            break
    tally.covered += covered
    tally.fixed_pass += fixed_verdict(n, margin, 0.95)(*pair) == "PASS"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000, help="at the margin")
    parser.add_argument("--runs-elsewhere", type=int, default=2_000)
    parser.add_argument("--images", type=int, default=2_000, choices=(2_000, 10_000))
    options = parser.parse_args()
    print(f"alpha = {ALPHA}, one-sided confidence 0.95.\n\n{HEAD}", flush=True)
    for row, (n, batch, margin, discordance, margins) in enumerate(ROWS):
        if n != options.images:
            continue
        rng, tally = np.random.default_rng(row), Tally()
        runs = options.runs if margins == 1 else options.runs_elsewhere
        for _ in range(runs):
            play(rng, tally, n=n, batch=batch, margin=margin, discordance=discordance, drop=margins * margin)
        shares = [tally.verdicts[name] / runs for name in ("PASS", "FAIL", "INCONCLUSIVE")]
        cells = [f"{x:.2%}" for x in (tally.covered / runs, tally.agreed / runs, *shares, tally.fixed_pass / runs)]
        used = [f"{x / n:.0%}" for x in (np.mean(tally.used), np.median(tally.used))]
        setting = [
            f"{n:,}",
            f"{margin * 100:g} pt",
            f"{discordance:.0%}",
            f"{margins * margin * 100:g} pt",
            f"{runs:,}",
        ]
        print(f"| {' | '.join([*setting, *cells, *used])} |", flush=True)


if __name__ == "__main__":
    main()

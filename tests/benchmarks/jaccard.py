"""Jaccard of the error sets of all pairs of models, ours against scipy's pdist, in turns within one run.

    python tests/benchmarks/jaccard.py --models 90 --samples 10000

The same numbers to 1e-12, at least 30 times as fast. CPU seconds.
"""

from __future__ import annotations

import argparse
import os
import time
from statistics import median

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # CPU seconds are compared: idle threads that spin would count

import numpy as np
from scipy.spatial.distance import pdist, squareform

from edgeval.measures.overlap import jaccard_pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=90)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    wrong = rng.random((args.models, args.samples)) < rng.random(args.samples) * 0.6
    pairs = []
    for _ in range(args.rounds):
        began = time.process_time()
        mine = jaccard_pairs(wrong)
        between = time.process_time()
        theirs = 1 - squareform(pdist(wrong, "jaccard"))
        pairs.append((between - began, time.process_time() - between))
    ratios = sorted(b / a for a, b in pairs)
    print(
        f"ours {median(a for a, _ in pairs) * 1e3:.2f} ms, pdist {median(b for _, b in pairs) * 1e3:.1f} ms, ", end=""
    )
    print(
        f"ratio {median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f}); differ by {np.abs(mine - theirs).max():.1e}"
    )
    if median(ratios) < 30 or np.abs(mine - theirs).max() > 1e-12:
        raise SystemExit("less than 30 times as fast, or other numbers")


if __name__ == "__main__":
    main()

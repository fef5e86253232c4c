"""Training with two OpenMP threads that spin, or sleep, while they wait, alone and beside other work; ms an update.

    python tests/benchmarks/waiting.py
    python tests/benchmarks/waiting.py --seconds 10 --rounds 7

Both kinds take turns within one run, each in a fresh process; "beside" means a busy process on every core. edgeval's
own children spin for some microseconds, then sleep, unless the user's OMP_WAIT_POLICY or GOMP_SPINCOUNT says otherwise.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from edgeval.workflow.jobs import WAITING

KINDS = {"spinning": {}, "sleeping": WAITING}
NETS = ("vit", "fcn", "resnet")


def trained(net: str, seconds: float) -> float:
    """Milliseconds an update of 16 images, over some seconds after the first two updates."""
    import torch

    from edgeval.nets import build

    torch.set_num_threads(2)
    torch.manual_seed(0)
    model = build(net, {"fcn": 128, "resnet": 8, "vit": 32}[net], 3, 2, size=(48, 48))
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    x, y = torch.randn(16, 2, 48, 48), torch.rand(16, 3)
    done, start = -2, time.perf_counter()
    while done < 1 or time.perf_counter() - start < seconds:
        torch.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()
        done += 1
        if done == 0:
            start = time.perf_counter()
    return 1000 * (time.perf_counter() - start) / done


def measured(net: str, seconds: float, kind: str) -> float:
    """The same in a process of its own."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    line = [sys.executable, __file__, "--one", net, "--seconds", str(seconds)]
    done = subprocess.run(line, env=bare | KINDS[kind], capture_output=True, text=True, check=True)
    return float(done.stdout)


def busy() -> None:
    """Work that never ends."""
    while True:
        sum(range(100_000))


def compared(net: str, seconds: float, rounds: int) -> str:
    """Medians of both kinds, and of their ratio within a round."""
    found = [{kind: measured(net, seconds, kind) for kind in KINDS} for _ in range(rounds)]
    ratios = sorted(one["spinning"] / one["sleeping"] for one in found)
    middle = {kind: statistics.median(one[kind] for one in found) for kind in KINDS}
    told = ", ".join(f"{kind} {ms:.1f} ms" for kind, ms in middle.items())
    return f"{told}, ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", choices=NETS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(trained(asked.one, asked.seconds))
        return
    for net in NETS:
        print(f"{net} alone: {compared(net, asked.seconds, asked.rounds)}", flush=True)
    neighbours = [multiprocessing.Process(target=busy, daemon=True) for _ in range(len(os.sched_getaffinity(0)))]
    for one in neighbours:
        one.start()
    for net in NETS:
        print(f"{net} beside {len(neighbours)}: {compared(net, asked.seconds, asked.rounds)}", flush=True)
    for one in neighbours:
        one.kill()


if __name__ == "__main__":
    main()

"""Bytes that training moves an image, for every rung of both ladders, and the time that a memory bandwidth allows.

    python tests/benchmarks/roofline.py
    python tests/benchmarks/roofline.py --bandwidth 3.35 --precision fp32 --epochs 30

The formula of each layer stands in edgeval/train/traffic.py: activations and gradients read and written, batch norm
with its activation in three passes ahead and five back; weights and SGD once a step. No kernel of this division can be
faster unless activations stay on the chip.
"""

from __future__ import annotations

import argparse

from edgeval.nets import build
from edgeval.records.ladder import load_ladder
from edgeval.train.traffic import traffic

STEPS, BATCH, SEEDS = 390, 128, 5
KNOWN = 2082  # seconds: an earlier estimate for 90 models x 200 epochs with fused batch norms at 4.8 TB/s
ELEMENT = {"bf16": 2, "fp32": 4}


def seconds(ladder: str, width: float, *, bandwidth: float, element: int) -> tuple[float, float]:
    """KB an image, and seconds an epoch of one model."""
    found = traffic(build(ladder.partition("-")[0], width, 100))
    return found.image(element) / 1e3, STEPS * found.step(BATCH, element) / (bandwidth * 1e12)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bandwidth", type=float, default=4.8, help="TB/s: 4.8 is an H200, 3.35 an H100")
    parser.add_argument("--precision", choices=ELEMENT, default="bf16")
    parser.add_argument("--epochs", type=int, default=200)
    args = parser.parse_args()
    total = 0.0
    print(
        f"{args.precision}, {args.bandwidth} TB/s, batch {BATCH}\n{'rung':12} {'KB an image':>12} {'ms an epoch':>12}"
    )
    for name in ("scalecnn-cifar100", "mobilenetv2-cifar100"):
        for rung in load_ladder(name).rungs:
            size, epoch = seconds(name, rung.width, bandwidth=args.bandwidth, element=ELEMENT[args.precision])
            total += SEEDS * args.epochs * epoch
            print(f"{rung.name:12} {size:12,.0f} {1e3 * epoch:12.1f}")
    print(f"{SEEDS} seeds x {args.epochs} epochs of all rungs: {total:,.0f} s")
    if (args.epochs, args.precision, args.bandwidth) == (200, "bf16", 4.8):
        print(f"earlier estimate: {KNOWN:,} s")


if __name__ == "__main__":
    main()

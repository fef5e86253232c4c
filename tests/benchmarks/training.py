"""Training on the CPU against a plain loop, in turns within one run; ratios of images a CPU-second.

    python tests/benchmarks/training.py --width 4 --seeds 5
    python tests/benchmarks/training.py --net mobilenetv2 --width 0.25 --seeds 1

The plain loop is a good one of the usual form: a DataLoader over PIL images, torchvision's transforms (crop, flip,
to tensor, normalise) and the same Cutout, NCHW, one network at a time. Ours keeps uint8 images, augments whole batches,
runs channels-last, and trains the seeds side by side where edgeval train would. Random images serve: speed does not
depend on what they show. One thread, no worker processes, so that CPU seconds compare.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from statistics import median
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import torch
from torch import Tensor, nn

from edgeval.nets import build
from edgeval.nets.vision import import_torchvision
from edgeval.records.artifact import Preprocess
from edgeval.records.ladder import Recipe
from edgeval.tasks.samples import Samples
from edgeval.train import fused, loop
from edgeval.workflow.together import WIDEST

MEAN, STD = (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)
BATCH, CLASSES = 128, 100


def samples(count: int) -> Samples:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    names = tuple(f"class {k}" for k in range(CLASSES))
    return Samples(images, rng.integers(0, CLASSES, count), tuple(map(str, range(count))), names)


def cutout(image: Tensor) -> Tensor:
    """One 8x8 square around a uniform centre, clipped at the border, set to 0."""
    y, x = torch.randint(0, 32, (2,)).tolist()
    image[:, max(0, y - 4) : y + 4, max(0, x - 4) : x + 4] = 0
    return image


class Pictures(torch.utils.data.Dataset[Any]):
    """As torchvision's CIFAR-100 gives them."""

    def __init__(self, data: Samples) -> None:
        import_torchvision()
        from PIL import Image
        from torchvision import transforms as t

        self.images, self.labels = [Image.fromarray(image) for image in data.images], data.labels.tolist()
        steps = [t.RandomCrop(32, padding=4), t.RandomHorizontalFlip(), t.ToTensor(), t.Normalize(MEAN, STD)]
        self.change = t.Compose([*steps, t.Lambda(cutout)])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, at: int) -> tuple[Tensor, int]:
        return self.change(self.images[at]), self.labels[at]


def plain(net: nn.Module, pictures: Pictures, recipe: Recipe) -> None:
    """One epoch of the plain loop."""
    optimizer = torch.optim.SGD(
        net.parameters(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    net.train()
    for images, labels in torch.utils.data.DataLoader(pictures, BATCH, shuffle=True, drop_last=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(images), labels).backward()
        optimizer.step()


def ours(nets: list[nn.Module], data: Samples, recipe: Recipe, *, together: bool) -> None:
    """One epoch of every network, side by side or one by one."""
    preprocess = Preprocess(scale=1 / 255, mean=MEAN, std=STD)
    jobs = [loop.Job(net, data, preprocess, recipe, seed) for seed, net in enumerate(nets)]
    if together:
        fused.train(jobs, save=lambda k, state: None, progress=lambda done, total: None)
        return
    for job in jobs:
        loop.train(job, save=lambda state: None, progress=lambda done, total: None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", default="scalecnn", choices=("scalecnn", "mobilenetv2"))
    parser.add_argument("--width", type=float, default=4)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, default=2560)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    data, recipe = samples(args.images), Recipe(epochs=1, batch=BATCH)
    pictures, rates = Pictures(data), []
    together = args.seeds > 1 and args.net == "scalecnn" and args.width <= WIDEST
    for _ in range(args.rounds):
        nets = [build(args.net, args.width, CLASSES) for _ in range(args.seeds)]
        began = time.process_time()
        plain(nets[0], pictures, recipe)
        middle = time.process_time()
        ours(nets, data, recipe, together=together)
        steps = args.images // BATCH * BATCH
        rates.append((steps / (middle - began), args.seeds * steps / (time.process_time() - middle)))
    ratios = sorted(mine / theirs for theirs, mine in rates)
    how = f"{args.seeds} seeds side by side" if together else f"{args.seeds} seeds one by one"
    print(f"{args.net} {args.width:g}, {how}; torch {torch.__version__}, {platform.machine()}, one thread")
    print(f"plain {median(a for a, _ in rates):,.0f}, ours {median(b for _, b in rates):,.0f} images a CPU-second")
    print(f"ratio {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()

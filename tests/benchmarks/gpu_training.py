"""Training on a GPU against a plain loop, in turns within one process; writes what it found as Markdown and JSON.

    python tests/benchmarks/gpu_training.py                          # everything, about 8 minutes of an H100
    python tests/benchmarks/gpu_training.py --parts check speed      # some parts
    python tests/benchmarks/gpu_training.py --device cpu --out /tmp/tiny     # the same code, tiny, without a GPU

check: 20 steps in float32 with the same batches, recorded against torch's own layers and optimiser, within 1e-4.
speed: images a second of a plain loop (DataLoader over PIL images, torchvision's transforms, a worker a core, pinned,
persistent, float32 eager, NCHW, one network at a time) and of ours; and ours as a share of the byte roofline.
study: seconds an epoch of five seeds of every rung, hence of the whole study; files written beside it not counted.
precision: mean accuracy of five seeds in bf16 and in fp32 after a short training; they should be within two standard
errors. CIFAR-100 if it is in $EDGEVAL_DATA, else the bundled digits.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import torch
from torch import nn
from training import CLASSES, MEAN, STD, Pictures, samples

from edgeval.nets import build
from edgeval.records.artifact import Preprocess
from edgeval.records.ladder import Recipe, load_ladder
from edgeval.tasks import task
from edgeval.tasks.samples import Samples
from edgeval.train import device as machine
from edgeval.train import graphed, loop
from edgeval.train.predict import logits
from edgeval.train.traffic import traffic
from edgeval.workflow.data import data_folder

PREPROCESS = Preprocess(scale=1 / 255, mean=MEAN, std=STD)
TARGETS = {("scalecnn", 4.0): 50, ("mobilenetv2", 1.0): 10, ("mobilenetv2", 3.0): 4}
PARTS = ("check", "speed", "study", "precision")
TRAIN_SIZE = 50_000 // 128 * 128


class Bench:
    """Sizes, the clock, and what was found so far."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.cuda = args, args.device != "cpu"
        self.batch = 128 if self.cuda else 8
        self.images = args.images or (25_600 if self.cuda else 32)
        self.began = time.monotonic()
        self.found: dict[str, Any] = {"machine": self._machine()}

    def _machine(self) -> dict[str, Any]:
        known = {"python": platform.python_version(), "torch": torch.__version__, "cores": workers()}
        return known | {"device": self.args.device, "cpu": platform.machine()} | machine.versions(self.args.device)

    def late(self) -> bool:
        return time.monotonic() - self.began > 60 * self.args.minutes

    def wait(self) -> None:
        if self.cuda:
            torch.cuda.synchronize()

    def seconds(self, work: Callable[[], None]) -> float:
        self.wait()
        began = time.perf_counter()
        work()
        self.wait()
        return time.perf_counter() - began

    def job(self, net: str, width: float, seed: int, data: Samples, **recipe: Any) -> loop.Job:
        torch.manual_seed(seed)
        asked = Recipe(**{"epochs": 1, "batch": self.batch} | recipe)
        made = build(net, width, len(data.class_names), data.images.shape[3])
        return loop.Job(made, data, PREPROCESS, asked, seed, self.args.device)

    def bandwidth(self) -> float:
        """TB/s of the memory, as the maker says."""
        given: float | None = self.args.bandwidth
        return given or (4.8 if "H200" in self.found["machine"].get("gpu", "") else 3.35)

    def keep(self, part: str, rows: list[dict[str, Any]]) -> None:
        """Write everything after each part, so that a cut run keeps what it found."""
        self.found[part] = rows
        out = Path(self.args.out)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.with_suffix(".json").write_text(json.dumps(self.found, indent=1) + "\n")
        out.with_suffix(".md").write_text(markdown(self.found))
        print(f"{part}: {json.dumps(rows)}", flush=True)


def workers() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def tf32(*, on: bool) -> None:
    torch.backends.cudnn.conv.fp32_precision = "tf32" if on else "ieee"
    torch.backends.cuda.matmul.fp32_precision = "tf32" if on else "ieee"


def check(bench: Bench) -> list[dict[str, Any]]:
    rows, data = [], samples(20 * bench.batch)
    for net, width, lr in (("scalecnn", 4.0, 1e-4), ("mobilenetv2", 0.25, 1e-5 if bench.cuda else 1e-6)):
        job = bench.job(net, width, 0, data, lr=lr)
        plain = build(net, width, CLASSES)
        for model in (plain, job.net):
            model.load_state_dict(plain.state_dict())
            for module in model.modules():
                if isinstance(module, nn.Dropout):
                    module.p = 0.0
        plain = plain.to(bench.args.device).to(memory_format=torch.channels_last).train()
        start = {name: value.detach().clone() for name, value in plain.named_parameters()}
        group = graphed.Group([job])
        (branch,), optimizer = group.branches, loop.sgd(plain, job.recipe)
        drawn = branch.draw(0)
        group.run({0: 0}, {0: drawn})
        for group_lr in optimizer.param_groups:
            group_lr["lr"] = loop.cosine(job.recipe, 0)
        for index, draws in zip(*(each.to(bench.args.device) for each in drawn), strict=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(plain(branch.data.images(index, draws)), branch.labels[index]).backward()
            optimizer.step()
        found = branch.state(0).tensors
        apart = max(
            float((p.detach().cpu() - found[f"net.{name}"]).abs().max()) for name, p in plain.named_parameters()
        )
        moved = max(float((p.detach() - start[name]).abs().max()) for name, p in plain.named_parameters())
        rows.append({"net": net, "width": width, "steps": 20, "apart": apart, "moved": moved, "holds": apart < 1e-4})
    return rows


def plain_epoch(bench: Bench, net: nn.Module, loader: Any) -> Callable[[], None]:
    optimizer = loop.sgd(net, Recipe())

    def epoch() -> None:
        for batch in loader:
            images, labels = (each.to(bench.args.device, non_blocking=True) for each in batch)
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images), labels).backward()
            optimizer.step()

    return epoch


def our_epoch(bench: Bench, group: graphed.Group) -> Callable[[], None]:
    """An epoch of all branches as training runs it: drawn on the host, launched, read back."""
    every = dict.fromkeys(range(len(group.branches)), 0)

    def epoch() -> None:
        group.run(every, group.draw(every))
        for branch in group.branches:
            branch.state(0)

    return epoch


def speed(bench: Bench) -> list[dict[str, Any]]:
    cases = [("scalecnn", 4.0, 5), ("mobilenetv2", 1.0, 5), ("mobilenetv2", 3.0, 2)]
    rows: list[dict[str, Any]] = []
    for net, width, seeds in cases if bench.cuda else [("scalecnn", 4.0, 2), ("mobilenetv2", 0.1, 1)]:
        if bench.late():
            break
        data = samples(bench.images)
        count = workers() if bench.cuda else 0
        loader = torch.utils.data.DataLoader(
            Pictures(data), bench.batch, shuffle=True, drop_last=True, num_workers=count, pin_memory=bench.cuda,
            persistent_workers=count > 0,
        )  # fmt: skip
        plain = plain_epoch(bench, build(net, width, CLASSES).to(bench.args.device).train(), loader)
        steps = bench.images // bench.batch
        row: dict[str, Any] = {"net": net, "width": width, "seeds": seeds, "target": TARGETS.get((net, width))}
        for precision in ("bf16", "fp32"):
            building = time.perf_counter()
            group = graphed.Group([bench.job(net, width, seed, data, precision=precision) for seed in range(seeds)])
            row[f"{precision}_build_s"] = round(time.perf_counter() - building, 1)
            ours, ratios, rates = our_epoch(bench, group), [], []
            tf32(on=True)
            plain()
            tf32(on=False)
            ours()
            for _ in range(bench.args.rounds):
                tf32(on=True)
                theirs = bench.seconds(plain)
                tf32(on=False)
                mine = bench.seconds(ours)
                ratios.append(seeds * theirs / mine)
                rates.append((steps * bench.batch / theirs, seeds * steps * bench.batch / mine))
            moved = (
                seeds * steps * traffic(build(net, width, CLASSES)).step(bench.batch, 2 if precision == "bf16" else 4)
            )
            ours_rate = median(rate for _, rate in rates)
            took = seeds * steps * bench.batch / ours_rate
            row |= {
                "plain_images_per_s": round(median(rate for rate, _ in rates)),
                f"{precision}_images_per_s": round(ours_rate),
                f"{precision}_ratio": [round(median(ratios), 2), round(min(ratios), 2), round(max(ratios), 2)],
                f"{precision}_roofline_share": round(moved / took / (bench.bandwidth() * 1e12), 3),
            }
            del group, ours
        rows.append(row)
        bench.keep("speed", rows)
    return rows


def study(bench: Bench) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    data = samples(bench.images // 2)
    for ladder in ("scalecnn-cifar100", "mobilenetv2-cifar100"):
        net = ladder.partition("-")[0]
        rungs = load_ladder(ladder).rungs
        for rung in rungs if bench.cuda else rungs[:1]:
            if bench.late():
                break
            seeds = 5 if rung.width < 2 or net == "scalecnn" else 2
            group = graphed.Group([bench.job(net, rung.width, seed, data, precision="bf16") for seed in range(seeds)])
            ours = our_epoch(bench, group)
            ours()
            one = bench.seconds(ours) / seeds * TRAIN_SIZE / (bench.images // 2)
            rows.append({"rung": rung.name, "seconds_an_epoch_of_five_seeds": round(5 * one, 3)})
            del group, ours
    total = sum(row["seconds_an_epoch_of_five_seeds"] for row in rows)
    complete = len(rows) == 18
    return [
        *rows,
        {
            "rungs": len(rows),
            "complete": complete,
            "30_epochs_s": round(30 * total),
            "200_epochs_s": round(200 * total),
        },
    ]


def precision(bench: Bench) -> list[dict[str, Any]]:
    name = "cifar100" if (data_folder() / "cifar100.npz").exists() else "digits100"
    train, test = (task(name).load(split, data_folder(), lambda done, total: None) for split in ("train", "test"))
    if not bench.cuda:
        train, test = (Samples(s.images[:16], s.labels[:16], s.ids[:16], s.class_names) for s in (train, test))
    rows: list[dict[str, Any]] = []
    for net, width in (("scalecnn", 4.0), ("mobilenetv2", 0.25)):
        shares: dict[str, list[float]] = {}
        for arithmetic in ("fp32", "bf16") if not bench.late() else ():
            asked = {"precision": arithmetic, "epochs": bench.args.epochs}
            jobs = [bench.job(net, width, seed, train, **asked) for seed in range(bench.args.seeds)]
            for state in graphed.train(jobs, save=lambda k, s: None, progress=lambda done, total: None).states:
                trained = build(net, width, len(train.class_names), train.images.shape[3])
                if state is not None:
                    trained.load_state_dict(loop.weights(state))
                    answers = logits(trained, test, PREPROCESS, bench.args.device).argmax(1)
                    shares.setdefault(arithmetic, []).append(float((answers == test.labels).mean()))
        if len(shares) == 2 and all(len(each) > 1 for each in shares.values()):
            apart = mean(shares["bf16"]) - mean(shares["fp32"])
            error = sum(stdev(each) ** 2 / len(each) for each in shares.values()) ** 0.5
            row = {"net": net, "width": width, "data": name, "epochs": bench.args.epochs, "seeds": bench.args.seeds}
            row |= {"bf16_minus_fp32": apart, "standard_error": error, "holds": abs(apart) <= 2 * error}
            rows.append(row | {arithmetic: mean(each) for arithmetic, each in shares.items()})
            bench.keep("precision", rows)
    return rows


def markdown(found: dict[str, Any]) -> str:
    """The same as tables."""
    lines = ["# Training on a GPU", "", ", ".join(f"{name} {value}" for name, value in found["machine"].items()), ""]
    lines += ["The plain loop has TF32 on (torch's default for convolutions), ours has it off; both deterministic.", ""]
    for part in [part for part in PARTS if found.get(part)]:
        lines += [f"## {part}", ""]
        for row in found[part]:
            lines.append("- " + ", ".join(f"{name} {value}" for name, value in row.items()))
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--minutes", type=float, default=8, help="no new case is begun after this")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, help="images an epoch of the timed loops")
    parser.add_argument("--epochs", type=int, default=10, help="of the comparison of precisions")
    parser.add_argument("--seeds", type=int, default=5, help="of the comparison of precisions")
    parser.add_argument("--bandwidth", type=float, help="TB/s; from the GPU's name if not given")
    parser.add_argument("--out", default="gpu_training", help="path of the results, without an ending")
    args = parser.parse_args()
    args.device = "cuda:0" if args.device == "cuda" else args.device
    os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", "32")
    machine.settle(args.device)
    bench = Bench(args)
    parts = {"check": check, "speed": speed, "study": study, "precision": precision}
    for part in args.parts:
        if not bench.late():
            bench.keep(part, parts[part](bench))


if __name__ == "__main__":
    main()

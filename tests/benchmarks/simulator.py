"""Magnets in batches against plain numpy loops of one image at a time, in turns within one run; CPU seconds an image.

    python tests/benchmarks/simulator.py
    python tests/benchmarks/simulator.py --device cuda --images 4000 --slow 50

`spheres` is the usual way: unit vectors, six FFTs each way an evaluation, three starts. `angles` is our own algorithm
(two angle fields, the same steps and the same tolerance) with numpy's FFTs on the whole cell, one image at a time.
`alone` is our code with one image a batch. All find the lowest of the same three starts on the same grids, on one core
(`--device cuda`: seconds on the wall, ours in batches against ours alone). `--long` relaxes the known answers' random
starts and finer grids instead, which takes minutes.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch

from edgeval.physics import simulate as ours
from edgeval.physics.harmonics import wave_number
from edgeval.physics.magnet import Magnet, grid_for
from edgeval.physics.plan import Plan
from tests.physics.spheres import Spheres, couplings, ground_state, random_start


class Angles:
    """Two angle fields s, t of one magnet in numpy, with FFTs on the whole cell; the steps are those of relax.py."""

    def __init__(self, magnet: Magnet, size: int) -> None:
        self.size, self.easy, self.j = size, magnet.anisotropy, couplings(magnet, size)
        h, k = np.meshgrid(np.fft.fftfreq(size, 1 / size), np.arange(size // 2 + 1), indexing="ij")
        self.stiff = magnet.stiffness * (2 * np.pi / magnet.period) ** 2 * wave_number(h, k, size)
        self.scale = 2 * self.easy + np.abs(self.j).max()
        self.smooth = 1 / (0.25 * self.scale + self.stiff)

    def filtered(self, x: Any, by: Any) -> Any:
        return np.fft.irfft2(np.fft.rfft2(x) * by, s=(self.size, self.size))

    def evaluate(self, x: Any) -> tuple[float, Any, Any]:
        """Energy, gradient and the waves."""
        (cs, ct), (ss, st) = np.cos(x), np.sin(x)
        exchange = self.filtered(x, self.stiff)
        local = (self.easy * cs + self.j) * ct
        energy = float(np.mean(0.5 * (x * exchange).sum(axis=0) - self.easy - local))
        return energy, exchange + np.stack([self.easy * ss * ct, (self.easy * cs + self.j) * st]), (cs, ss, ct, st)

    def relax(self, x: Any, tolerance: float) -> float:
        energy, g, waves = self.evaluate(x)
        z = self.filtered(g, self.smooth)
        d, gz = -z, (g * z).mean() * 2
        for _ in range(3000):
            slope = (g * d).mean() * 2
            if slope >= 0:
                d, slope = -z, -gz
            cs, ss, ct, st = waves
            local = (
                self.easy * cs * ct * (d * d).sum(axis=0)
                + self.j * ct * d[1] ** 2
                - 2 * self.easy * ss * st * d[0] * d[1]
            )
            bend = float(np.mean((d * self.filtered(d, self.stiff)).sum(axis=0) + local))
            step = 1 / np.abs(d).max()
            if bend > 0:
                step = min(step, -slope / bend)
            while True:
                found = self.evaluate(x + step * d)
                if found[0] <= energy + 1e-4 * step * slope + 1e-14 * abs(energy) or step < 1e-9:
                    break
                step *= 0.4
            x, before = x + step * d, g
            energy, g, waves = found
            if max(np.abs(g[0] + g[1]).max(), np.abs(g[0] - g[1]).max()) < tolerance * self.scale:
                break
            z = self.filtered(g, self.smooth)
            now = (g * z).mean() * 2
            d, gz = max(0.0, (now - (before * z).mean() * 2) / gz) * d - z, now
        return energy

    def ground_state(self, tolerance: float) -> float:
        negative = self.j < 0
        leans = [np.where(negative, a, b) for a, b in ((0.25, 0.05), (1.2, 0.1))]
        one, two = np.where(negative, -0.10, -0.02), np.where(negative, np.pi - 0.3, 0.3)
        begun = [np.stack([0 * lean, -2 * lean]) for lean in leans] + [np.stack([one + two, one - two])]
        return min(self.relax(x, tolerance) for x in begun)


def seconds(work: Callable[[], Any], clock: Callable[[], float]) -> tuple[float, Any]:
    begun = clock()
    result = work()
    return clock() - begun, result


def where_time_goes(magnets: list[Magnet], how: ours.How) -> None:
    """Print the shares of relaxing, drawing and describing in one run."""
    spent: Counter[str] = Counter()
    usual = {name: getattr(ours, name) for name in ("relax", "draw", "describe", "problem")}

    def timed(name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            took, result = seconds(lambda: usual[name](*given, **named), time.process_time)
            spent[name] += took
            return result

        return call

    try:
        for name in usual:
            setattr(ours, name, timed(name))
        whole, _ = seconds(lambda: ours.simulate(magnets, how), time.process_time)
    finally:
        for name, function in usual.items():
            setattr(ours, name, function)
    rest = whole - sum(spent.values())
    parts = [f"{name} {took / whole:.0%}" for name, took in [*spent.most_common(), ("rest", rest)]]
    print("where the time goes: " + ", ".join(parts))


def long_form() -> None:
    """Random starts in all directions, and finer grids, against the lowest of the three starts."""
    rng = np.random.default_rng(0)
    for k in range(12):
        magnet = Plan(seed=11).magnet(k)
        size = grid_for(magnet)
        (state,), _ = ours.simulate([magnet], ours.How())
        model = Spheres(magnet, size)
        others = [model.relax(random_start(size, rng), 1e-4, 20_000)[1] for _ in range(6)]
        (fine,), _ = ours.simulate([magnet], ours.How(grid=2 * size))
        gap = (min(others) - state.energy) / abs(state.energy)
        finer = fine.energy / state.energy - 1
        print(f"{magnet}: {state.energy:.7f}, random starts {gap:+.1e}, twice the grid {finer:+.1e}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--slow", type=int, default=12, help="images of the plain loops, a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--long", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.long:
        long_form()
        return
    magnets = [Plan().magnet(k) for k in range(args.images)]
    for precision, tolerance in (("float64", 1e-6), ("float32", 1e-4)):
        how = ours.How(device=args.device, precision=precision)
        ours.simulate(magnets[:40], how)  # matrices are made once
        rounds = [one_round(magnets, args.slow, how, tolerance) for _ in range(args.rounds)]
        rows = {name: [each[name] for each in rounds] for name in rounds[0]}
        report(precision, tolerance, rows, args.device)
        where_time_goes(magnets, how)
    print(f"grids: {dict(Counter(grid_for(m) for m in magnets))}; torch {torch.__version__}, {platform.machine()}")


def one_round(magnets: list[Magnet], slow: int, how: ours.How, tolerance: float) -> dict[str, float]:
    """Seconds an image of every way; the plain loops must find the same energies."""
    clock, few = time.process_time if how.device == "cpu" else time.perf_counter, magnets[:slow]
    took = {"ours": seconds(lambda: ours.simulate(magnets, how), clock)[0] / len(magnets)}
    took["alone"] = seconds(lambda: [ours.simulate([m], how) for m in few], clock)[0] / len(few)
    if how.device != "cpu":
        return took
    energies = [state.energy for state in ours.simulate(few, how)[0]]
    time_angles, angles = seconds(lambda: [Angles(m, grid_for(m)).ground_state(tolerance) for m in few], clock)
    time_spheres, spheres = seconds(lambda: [ground_state(m, grid_for(m), tolerance)[1] for m in few], clock)
    assert np.allclose(angles, energies, rtol=2e-5, atol=0), "the same algorithm finds other energies"
    assert np.allclose(spheres, energies, rtol=1e-3, atol=0), "spheres find other energies"
    return {**took, "angles": time_angles / len(few), "spheres": time_spheres / len(few)}


def report(precision: str, tolerance: float, rows: dict[str, list[float]], device: str) -> None:
    """Print seconds an image and the ratios."""
    best = sorted(rows["ours"])[len(rows["ours"]) // 2]
    print(f"{precision}, tolerance {tolerance:g}, {device}: ours {best * 1e3:.2f} ms an image")
    for name, values in rows.items():
        if name == "ours" or not values:
            continue
        ratios = sorted(v / o for v, o in zip(values, rows["ours"], strict=True))
        middle = sorted(values)[len(values) // 2]
        ratio = f"{ratios[len(ratios) // 2]:.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})"
        print(f"  {name}: {middle * 1e3:.1f} ms, ratio {ratio}")
    if device == "cpu":
        print(f"  10,000 images on two cores: {best * 10_000 / 2:.0f} s of computing")


if __name__ == "__main__":
    main()

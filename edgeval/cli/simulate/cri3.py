"""edgeval simulate cri3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edgeval.cli import options
from edgeval.cli.display import Display
from edgeval.cli.options import F

RANGES = ("theta_range", "j_range", "d_range")
OF_ONE = ("theta", "j", "d", "grid")
OF_SET = ("seed", "workers", "cluster", "shard_size", "image_size", "window", "device", "precision", *RANGES)


def _range(name: str, text: str) -> Callable[[F], F]:
    """An option of two numbers."""
    return click.option(name, type=float, nargs=2, metavar="LO HI", help=text)


@click.command()
@click.option("--theta", type=float, metavar="DEG", help="Twist angle in degrees.")
@click.option("--j", type=float, metavar="MEV", help="Exchange J in meV.")
@click.option("--d", type=float, metavar="MEV", help="Single-ion anisotropy D in meV.")
@click.option("--critical-angle", is_flag=True, help="The angle above which the state is uniform, for this J and D.")
@click.option("--grid", type=int, metavar="N", help="N x N points.  [default: the smallest that resolves the walls]")
@click.option("--coupling", type=click.Choice(["relaxed", "rigid"]), default="relaxed", show_default=True)
@click.option("-n", "count", type=click.IntRange(1, 100_000_000), help="Samples of a data set.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Its folder; run again to go on.  [default: cri3 in $EDGEVAL_DATA]",
)
@click.option("--seed", type=click.IntRange(0), help="Of the parameters' draw.  [default: 0]")
@_range("--theta-range", "Degrees.  [default: 0.8 2.0]")
@_range("--j-range", "meV.  [default: 1 3]")
@_range("--d-range", "meV.  [default: 0.02 0.20]")
@click.option("--image-size", type=int, help="Pixels a side.  [default: 48]")
@click.option("--window", type=float, metavar="A", help="Width of the pictures in angstrom.  [default: 400]")
@click.option("--shard-size", type=click.IntRange(1, 100_000), help="Samples a file.  [default: 500]")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="[default: cpu]")
@click.option("--precision", type=click.Choice(["float32", "float64"]), help="[default: float64]")
@options.workers
@options.cluster
@options.json_file
@options.quiet
def cri3(critical_angle: bool, count: int | None, json_to: str | None, quiet: bool, **given: Any) -> None:
    """Twisted bilayer CrI3 in a continuum spin model: textures of two coupled layers, and pictures of them.

    Gives the relaxed state of one magnet (energy in meV/A^2, phase, antiferromagnetic patches), the critical angle of J
    and D, or a data set of pictures with theta, J and D drawn uniformly from their ranges; without --out it lies where
    ladders whose card says name = "cri3" look for it.

    \b
    Examples:
      edgeval simulate cri3 --theta 1.2 --j 2 --d 0.1 --json -
      edgeval simulate cri3 --critical-angle --j 2 --d 0.1
      edgeval simulate cri3 -n 19000
      edgeval simulate cri3 -n 10000 --out magnets
      edgeval simulate cri3 -n 100000 --out magnets --cluster 10.0.0.1:6379
    """
    if count is not None or given["out"] is not None:
        if count is None or critical_angle:
            raise click.UsageError("a data set takes -n N")
        _refuse(given, OF_ONE, "a data set draws theta, J and D from their ranges and picks its grids")
        text, body = _data_set(count, given, quiet)
    else:
        _refuse(given, (*OF_SET, *(("theta", "grid") if critical_angle else ())), "this option has no use here")
        text, body = _critical(given) if critical_angle else _one(given, quiet)
    options.emit(text, lambda: _json(body), json_to)


def _refuse(given: dict[str, Any], names: tuple[str, ...], why: str) -> None:
    """Raise UsageError for an option that would be passed over."""
    for name in names:
        if given[name] is not None:
            raise click.UsageError(f"--{name.replace('_', '-')}: {why}")


def _wanted(given: dict[str, Any], *names: str) -> tuple[float, ...]:
    """These numbers, all of them."""
    lacking = [f"--{name}" for name in names if given[name] is None]
    if lacking:
        raise click.UsageError(f"give {', '.join(lacking)} too (or -n N for a data set)")
    return tuple(given[name] for name in names)


def _critical(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """theta_c in degrees, or null where no angle has a texture."""
    from edgeval.physics.magnet import Magnet
    from edgeval.physics.stability import critical_angle

    j, d = _wanted(given, "j", "d")
    Magnet(1.0, j, d, given["coupling"])
    found = critical_angle(j, d, given["coupling"])
    text = "no critical angle from 0.02 to 30 degrees" if found is None else f"theta_c {found:.3f} degrees"
    return text, {"schema": "edgeval/simulate-angle/1", "theta_c": found}


def _one(given: dict[str, Any], quiet: bool) -> tuple[str, dict[str, Any]]:
    """One magnet."""
    from edgeval.physics.magnet import Magnet
    from edgeval.workflow.simulate import one_magnet

    theta, j, d = _wanted(given, "theta", "j", "d")
    magnet = Magnet(theta, j, d, given["coupling"])
    with Display(quiet=quiet) as display:
        state = one_magnet(magnet, given["grid"], display)
    names = ("converged", "iterations", "grid", "phase", "afm_patches", "magnetisation", "start")
    body = {"energy_per_area": state.energy, **{name: getattr(state, name) for name in names}}
    one, two = state.magnetisation
    end = "converged" if state.converged else "NOT converged"
    text = f"{state.phase}, {state.afm_patches} antiferromagnetic patches, energy {state.energy:.6f} meV/A^2\n"
    text += f"mean n_z {one:.3f} and {two:.3f}; moire period {magnet.period:.1f} A, wall length {magnet.wall:.1f} A\n"
    text += f"{end} in {state.iterations} iterations on a grid of {state.grid}"
    return text, {"schema": "edgeval/simulate/1", **body}


def _data_set(count: int, given: dict[str, Any], quiet: bool) -> tuple[str, dict[str, Any]]:
    """A data set in its folder."""
    from edgeval.physics.picture import Window
    from edgeval.physics.plan import RANGES, Plan
    from edgeval.workflow.remote import pool_of
    from edgeval.workflow.simulate import data_set, usual_folder

    folder = given["out"] or usual_folder()
    ranges = [given[f"{name}_range"] or usual for name, usual in zip(("theta", "j", "d"), RANGES, strict=True)]
    default = Window()
    width = default.width if given["window"] is None else given["window"]
    size = default.size if given["image_size"] is None else given["image_size"]
    chosen = {k: given[k] for k in ("seed", "shard_size", "coupling", "precision", "device") if given[k] is not None}
    plan = Plan(ranges=tuple(ranges), window=Window(width, size), **chosen)
    device, workers = plan.device, given["workers"]
    with Display(quiet=quiet) as display, pool_of(given["cluster"], "simulate", display, device=device) as pool:
        made = data_set(plan, count, folder, workers, display, pool)
    phases = ", ".join(f"{count:,} {name}" for name, count in sorted(made.phases.items()))
    text = f"{made.samples:,} samples in {made.shards} shards ({made.made} made now) in {folder}: {phases}\n"
    text += f"{made.samples - made.converged:,} not converged; preview: {made.preview}"
    body = {"samples": made.samples, "shards": made.shards, "made": made.made, "converged": made.converged}
    return text, {"schema": "edgeval/simulate-set/1", **body, "phases": made.phases, "preview": str(made.preview)}


def _json(body: dict[str, Any]) -> str:
    """JSON text."""
    import json

    return json.dumps(body, indent=1)

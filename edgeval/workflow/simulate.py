"""Simulate magnets: one with its figures, or a data set in shards that a killed run goes on with."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeval.archive import read_npz
from edgeval.errors import DataError, InputError
from edgeval.physics.magnet import Magnet
from edgeval.physics.plan import Plan, difference, textureless
from edgeval.records.ladder import MAGNETS
from edgeval.records.reporter import Progress, Reporter
from edgeval.report.contact import contact_sheet
from edgeval.store import Store
from edgeval.tasks.cri3 import holds
from edgeval.workflow import jobs
from edgeval.workflow.data import Need, data_folder, need

if TYPE_CHECKING:
    from edgeval.physics.state import State

MANIFEST, PREVIEW, SHOWN = "cri3.json", "preview.png", 24
DEALT = 4  # shards a node is given at once
Arrays = dict[str, NDArray[np.generic]]


def one_magnet(magnet: Magnet, grid: int | None, reporter: Reporter) -> State:
    """Relax one magnet. Raises InputError where the grid does not resolve its walls."""
    need("torch", "train")
    from edgeval.physics.picture import Window
    from edgeval.physics.simulate import How, simulate

    warning = textureless(magnet)
    if warning:
        reporter.say(f"warning: {warning}")
    (state,), _ = simulate([magnet], How(Window(magnet.period), grid=grid))
    if not state.converged:
        reporter.say(f"warning: not converged after {state.iterations} iterations")
    if state.pinned:
        reporter.say("warning: no spin leans any more: the walls are pinned to the grid")
    return state


def usual_folder() -> Path:
    """Where ladders whose card says `name = "cri3"` look for their magnets."""
    return data_folder() / MAGNETS


def usual_set(count: int, workers: int | None, reporter: Reporter) -> Summary:
    """The usual magnets there, for a command that has no options for them. Raises InputError."""
    folder = usual_folder()
    try:
        return data_set(Plan(), count, folder, workers, reporter)
    except DataError:
        raise
    except InputError as error:
        hint = "set EDGEVAL_DATA to another folder"
        if holds(folder, 0):
            hint += f", or make more of these magnets: edgeval simulate cri3 -n {count}, with their own options"
        raise InputError(error.what, seen=error.seen, hint=hint) from error


@dataclass(frozen=True)
class Summary:
    """What lies in a data set's folder now."""

    samples: int
    shards: int
    made: int
    converged: int
    phases: dict[str, int]
    preview: Path


@dataclass(frozen=True)
class Job:
    """Shards that one process makes: (first index, samples to keep) each; `root`: the data set's folder."""

    plan: Plan
    root: Path
    shards: tuple[tuple[int, int], ...]
    ladder: None = None
    needs: tuple[Need, ...] = ()
    resumes: bool = True

    def luggage(self) -> list[Path]:
        """The shards that are there."""
        return [shard_path(self.root, self.plan, begin) for begin, _ in self.shards]


def data_set(
    plan: Plan, count: int, folder: Path, workers: int | None, reporter: Reporter, pool: jobs.Pool = jobs.LOCAL
) -> Summary:
    """Make what is missing of `count` samples in `folder`. Raises InputError if it holds another data set."""
    need("torch", "train")
    if pool is jobs.LOCAL:
        _see(plan.device)
    _claim(plan, folder)
    warning = plan.uninformative()
    if warning:
        reporter.say(f"warning: {warning}")
    size = plan.shard_size
    shards = [(begin, min(size, count - begin)) for begin in range(0, count, size)]
    todo = [(begin, keep) for begin, keep in shards if not _whole(plan, folder, begin, keep)]
    if len(todo) < len(shards):
        reporter.say(f"{len(shards) - len(todo)} of {len(shards)} shards are there already")
    alone = 1 if plan.device == "cuda" and pool is jobs.LOCAL else None
    _make(Job(plan, folder, tuple(todo)), alone or workers or pool.size(), pool, reporter.bar("simulate cri3"))
    made = _summary(plan, folder, shards, len(todo))
    if made.converged < made.samples:
        left = made.samples - made.converged
        reporter.say(f"warning: {left} samples did not converge; they are marked, and left out of regression data")
    return made


def _see(device: str) -> None:
    """Raise InputError when a GPU is asked for that is not there."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("torch sees no GPU", seen="--device cuda", hint="use --device cpu")


def _claim(plan: Plan, folder: Path) -> None:
    """Write the plan into an empty folder, or see that it is the same. Raises InputError."""
    path = folder / MANIFEST
    if folder.exists() and not folder.is_dir():
        raise InputError("--out must be a folder", seen=folder, hint="choose another name")
    if not path.exists():
        if folder.is_dir() and any(folder.iterdir()):
            raise InputError("this folder holds something else", seen=folder, hint="choose an empty or a new --out DIR")
        Store(folder).write(path, json.dumps(plan.header(), indent=1).encode() + b"\n")
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged", seen=error, hint="choose another --out DIR") from error
    said = difference(plan.header(), there if isinstance(there, dict) else {})
    if said:
        raise InputError(
            f"{folder} holds another data set", seen=said, hint="choose another --out DIR, or $EDGEVAL_DATA"
        )


def shard_path(folder: Path, plan: Plan, begin: int) -> Path:
    """Where the shard that begins with this sample lies."""
    return folder / f"shard-{begin // plan.shard_size:05d}.npz"


def _whole(plan: Plan, folder: Path, begin: int, keep: int) -> bool:
    """Whether this shard is there, readable, of this plan, and long enough."""
    path = shard_path(folder, plan, begin)
    if not path.exists():
        return False
    try:
        arrays = read_npz(path)
        same = not difference(plan.header(), json.loads(str(arrays["header"])))
        return same and np.array_equal(arrays["index"][:keep], np.arange(begin, begin + keep))
    except (DataError, ValueError, KeyError, AttributeError, IndexError, TypeError, RecursionError):
        return False


def _make(whole: Job, workers: int, pool: jobs.Pool, bar: Progress) -> None:
    """Share the shards among processes, or deal them to nodes; errors are raised after all others have ended."""
    todo = whole.shards
    if pool is jobs.LOCAL and (len(todo) == 1 or (todo and workers == 1)):
        make_shards(whole, bar)
        return
    # nodes get a few at a time: the faster one more of them
    count = workers if pool is jobs.LOCAL else max(workers, -(-len(todo) // DEALT))
    total, done = sum(keep for _, keep in todo), [0] * count

    def share(worker: int) -> Callable[[int, int], None]:
        def progress(now: int, of: int) -> None:
            done[worker] = now
            bar(sum(done), total)

        return progress

    shares = [replace(whole, shards=todo[k::count]) for k in range(min(count, len(todo)))]
    tasks = [jobs.Task(make_shards, job, share(k), name=f"magnets {k}") for k, job in enumerate(shares)]
    errors = [outcome.error for outcome in pool.run(tasks, workers) if outcome.error]
    if errors:
        raise errors[0]


def make_shards(job: Job, progress: Progress) -> None:
    """Compute shards that are not there, on one core, and write each when it is done."""
    import torch

    from edgeval.physics.simulate import How, simulate

    torch.set_num_threads(1)
    plan, total, before = job.plan, sum(keep for _, keep in job.shards), 0
    how = How(plan.window, plan.device, plan.precision)
    for begin, keep in job.shards:
        if _whole(plan, job.root, begin, keep):  # made before this try
            before += keep
            continue
        # The last bits of a sample depend on what is computed beside it, so a shard is always computed whole.
        magnets = [plan.magnet(k) for k in range(begin, begin + plan.shard_size)]
        states, pictures = simulate(magnets, how, _after(before, keep, total, progress))
        arrays = _arrays(plan, begin, magnets[:keep], states[:keep]) | {"images": pictures[:keep]}
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        Store(job.root).write(shard_path(job.root, plan, begin), buffer.getvalue())
        before += keep
        progress(before, total)


def _after(before: int, keep: int, total: int, progress: Progress) -> Progress:
    """Progress within one shard as progress of all."""
    return lambda now, of: progress(before + now * keep // of, total)


def _arrays(plan: Plan, begin: int, magnets: Sequence[Magnet], states: Sequence[State]) -> Arrays:
    """Everything but the pictures, one row a sample."""
    columns: dict[str, Any] = {name: [getattr(m, name) for m in magnets] for name in ("theta", "j", "d")}
    for name in ("energy", "converged", "iterations", "grid", "phase", "afm_patches", "magnetisation", "start"):
        columns[name] = [getattr(state, name) for state in states]
    found = {name: np.array(values) for name, values in columns.items()}
    header = np.array(json.dumps(plan.header()))
    return {"header": header, "index": np.arange(begin, begin + len(magnets)), **found}


def _summary(plan: Plan, folder: Path, shards: Sequence[tuple[int, int]], made: int) -> Summary:
    """Counts over all shards, and the preview of the first."""
    phases: dict[str, int] = {}
    converged = 0
    for begin, keep in shards:
        arrays = read_npz(shard_path(folder, plan, begin))
        converged += int(arrays["converged"][:keep].sum())
        for name, count in zip(*np.unique(arrays["phase"][:keep], return_counts=True), strict=True):
            phases[str(name)] = phases.get(str(name), 0) + int(count)
    preview = folder / PREVIEW
    Store(folder).write(preview, _preview(plan, read_npz(shard_path(folder, plan, 0)), shards[0][1]))
    return Summary(sum(keep for _, keep in shards), len(shards), made, converged, phases, preview)


def _preview(plan: Plan, arrays: Any, keep: int) -> bytes:
    """Samples of the first shard by rising angle, both layers, with their parameters."""
    order = np.argsort(arrays["theta"][:keep])
    picked = order[np.unique(np.linspace(0, len(order) - 1, SHOWN).round().astype(int))]
    captions = [
        (
            f"{int(arrays['index'][k])}: theta {arrays['theta'][k]:.3f}, {arrays['phase'][k]}",
            f"J {arrays['j'][k]:.2f}, D {arrays['d'][k]:.3f} meV",
        )
        for k in picked
    ]
    title = f"n_z of layer 1 and 2, {plan.window.width:g} A wide, AA in the centre; red +1, white 0, blue -1"
    return contact_sheet(arrays["images"][picked], captions, title)

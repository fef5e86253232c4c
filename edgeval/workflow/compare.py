"""Compare the rungs of a ladder on a target with the full-size model, stage by stage."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.expected import METRICS, Point, expected
from edgeval.compare.pair import Context, weigh
from edgeval.compare.recalibration import THRESHOLD
from edgeval.compare.side import Side
from edgeval.compare.stages import Link
from edgeval.errors import MissingError
from edgeval.records.artifact import Format, float_twin
from edgeval.records.evidence import Evidence
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.predictions import Predictions
from edgeval.records.reporter import Reporter
from edgeval.store import Store
from edgeval.tasks.samples import Samples
from edgeval.workflow.accelerator import accelerator_notes
from edgeval.workflow.answers import check_torch
from edgeval.workflow.artifact import Model, rung_model
from edgeval.workflow.bench import Bench, bench_of, open_bench, origin_notes, share_notes
from edgeval.workflow.data import load_split
from edgeval.workflow.described import board_notes
from edgeval.workflow.export import torch_table
from edgeval.workflow.floor import FLOOR_BUDGET_S, kernel_floor, retraining_floor
from edgeval.workflow.leakage import leak_note
from edgeval.workflow.partial import Bid, Early, part_of, run_images, subset
from edgeval.workflow.run import preflight

DESKTOP = "desktop"
Before = Callable[[NDArray[np.int64], tuple[str, ...]], None]


def nothing_before(labels: NDArray[np.int64], class_names: tuple[str, ...]) -> None:
    """Tell nobody what is about to be compared."""


@dataclass(frozen=True)
class CompareOptions:
    """Which rungs, in which format, which seed, on which target."""

    target: str = DESKTOP
    emulate: bool = False
    rungs: tuple[str, ...] = ()
    format: Format | None = None
    seed: int | None = None
    floor_budget_s: float = FLOOR_BUDGET_S
    images: int | None = None
    early: Early | None = None
    threshold: float = THRESHOLD
    opened: Bench | None = None
    instructions: bool = False


@dataclass(frozen=True)
class Chain:
    """Everything that the rows of one comparison share."""

    ladder: Ladder
    seed: int
    format: Format
    samples: Samples
    desktop: Bench
    bench: Bench
    store: Store
    reporter: Reporter
    command: str
    options: CompareOptions
    whole: Samples

    def model(self, rung: Rung, fmt: Format) -> Model:
        """The exported file of a rung that the target runs."""
        profile = self.bench.target.profile(fmt)
        return rung_model(self.store, self.ladder, rung, self.seed, fmt, profile=profile)

    def cut(self, table: Predictions) -> Predictions:
        """A table of all test images, cut to those of this comparison."""
        return table if self.samples is self.whole else part_of(table, self.samples)


def compare_ladder(
    ladder: Ladder,
    options: CompareOptions,
    store: Store,
    reporter: Reporter,
    before: Before = nothing_before,
    samples: Samples | None = None,
) -> tuple[list[Evidence], Samples]:
    """One comparison a rung, and the test images. The reference is the largest rung in the results folder, in torch.

    `before` is told what is about to be compared, once the data are read and before anything runs; `samples`: all test
    images, where they are read already.
    """
    for name in options.rungs:
        ladder.rung(name)  # what is typed wrongly comes before what is out of reach
    with bench_of(options, reporter) as bench, open_bench(DESKTOP) as desktop:
        fmt = options.format or bench.target.model.format
        reference, rungs, seed = choose(ladder, options, store)
        samples = samples or load_split(ladder, "test", reporter.bar("test data", ""))
        command = command_of(ladder, options, seed) + store.flag
        part = samples if options.images is None else subset(samples, options.images)
        before(part.labels, part.class_names)
        chain = Chain(ladder, seed, fmt, part, desktop, bench, store, reporter, command, options, samples)
        full, points = _torch(chain, reference), _points(chain)
        return [_row(chain, full, rung, (reference, points)) for rung in rungs], part


def choose(ladder: Ladder, options: CompareOptions, store: Store) -> tuple[Rung, list[Rung], int]:
    """Reference rung, candidate rungs and seed. Raises MissingError with the command that makes what is missing."""
    named = ladder.typed
    asked = [ladder.rung(name) for name in options.rungs]
    seeds = [options.seed] if options.seed is not None else _seeds(ladder, store)
    for seed in seeds:
        there = [rung for rung in ladder.rungs if torch_table(store, ladder, rung, seed).exists()]
        if not there:
            continue
        lacking = [rung for rung in asked if rung not in there]
        if lacking:
            raise MissingError(
                f"{lacking[0].name} seed {seed} is not exported",
                seen=store.root,
                hint=f"run: edgeval export {named} --rung {lacking[0].name} --seed {seed}",
            )
        rungs = asked or there[:-1]
        if not rungs:
            hint = f"run: edgeval train {named} && edgeval export {named}"
            raise MissingError("only one rung is exported: there is nothing to compare", seen=there[0].name, hint=hint)
        return there[-1], rungs, seed
    seed_text = f" --seed {options.seed}" if options.seed is not None else ""
    trained = any(
        store.checkpoint(store.rung(ladder.name, r.name, s))
        for r in ladder.rungs
        for s in store.seeds(ladder.name, r.name)
    )
    first = "" if trained else f"edgeval train {named}{seed_text} && "
    raise MissingError(
        f"{ladder.name} is not exported in {store.root}",
        seen=options.seed,
        hint=f"run: {first}edgeval export {named}{seed_text}",
    )


def _seeds(ladder: Ladder, store: Store) -> list[int]:
    """All seeds that some rung has, lowest first."""
    return sorted({seed for rung in ladder.rungs for seed in store.seeds(ladder.name, rung.name)})


def command_of(ladder: Ladder, options: CompareOptions, seed: int) -> str:
    """The command line that gives this comparison again."""
    words = ["edgeval compare", shlex.quote(ladder.typed), f"--target {shlex.quote(options.target)}"]
    words += [f"--rung {name}" for name in options.rungs]
    words += [f"--format {options.format}"] if options.format else []
    words += [f"--images {options.images}"] if options.images else []
    words += [f"--threshold {options.threshold:g}"] if options.threshold != THRESHOLD else []
    words += ["--shard"] if options.opened and options.opened.crew else []
    words += [f"--seed {seed}"] + (["--emulate"] if options.emulate else [])
    return " ".join(words)


def _row(chain: Chain, full: Predictions, rung: Rung, around: tuple[Rung, list[Point]]) -> Evidence:
    """One rung against the full-size model; `around` is the reference's rung and the ladder's float checkpoints."""
    reference, points = around
    if chain.options.early is not None:
        model = chain.model(rung, chain.format)
        notes = tuple(_notes(chain, full, reference, ()))
        return chain.options.early(Bid(model, chain.samples, full, chain.bench, chain.command, notes))
    preflight(chain.model(rung, chain.format).path, chain.bench)
    links = tuple(_links(chain, reference, rung))
    candidate = links[-1].table
    target = candidate.source.model_copy(update={"name": chain.bench.name})
    floor, why = kernel_floor(
        chain.model(rung, chain.format),
        chain.samples,
        chain.store,
        chain.reporter,
        budget_s=chain.options.floor_budget_s,
        families=chain.bench.target.compare.kernel_floor,
    )
    notes = (*_notes(chain, full, reference, links), *([why] if why else []))
    found = weigh(full, candidate, Context(links, target, notes, chain.command, threshold=chain.options.threshold))
    for_size, reason = expected(points, candidate.source.params or 0)
    return found.with_findings(
        kernel_floor=floor,
        retraining_floor=retraining_floor(_seeds_of(chain, rung)),
        expected=for_size,
        expected_reason=reason,
    )


def _notes(chain: Chain, full: Predictions, reference: Rung, links: tuple[Link, ...]) -> list[str]:
    """What a reader must know of this run."""
    notes = list(chain.samples.notes)
    if reference != chain.ladder.rungs[-1]:
        top = chain.ladder.rungs[-1].name
        notes.append(f"the largest rung, {top}, is not in {chain.store.root}: {reference.name} is the reference")
    last = links[-1].table.source if links else full.source
    notes += [*origin_notes(last if links else chain.bench), *share_notes(last)]
    notes += (*accelerator_notes(last), *board_notes(last)) if links else ()
    same = chain.bench.target.runtime.kernels == chain.desktop.target.runtime.kernels
    if chain.bench.origin == "emulated" and chain.bench.target.transport.type == "local" and same:
        notes.append("the stand-in is the desktop's own runtime and kernels: its device step is zero by construction")
    trained = {table.source.notes for table in (full, *(link.table for link in links if link.stage == "size"))}
    if len(trained) > 1:
        notes.append(f"the rungs were trained differently: {'; '.join(sorted(' '.join(said) for said in trained))}")
    notes += [note for link in links for note in leak_note(link.table.source.leaked, link.table.source.name)]
    return list(dict.fromkeys(notes))


def _seeds_of(chain: Chain, rung: Rung) -> dict[int, Predictions]:
    """Torch's answers to these images by every seed of a rung."""
    kept = {}
    for seed in chain.store.seeds(chain.ladder.name, rung.name):
        path = torch_table(chain.store, chain.ladder, rung, seed)
        if path.exists():
            table = chain.store.read_table(path)
            if table.source.data_sha256 == chain.whole.sha256:
                kept[seed] = chain.cut(table)
    return kept


def _points(chain: Chain) -> list[Point]:
    """The figures of every float checkpoint that has answered these images."""
    found = []
    for rung in chain.ladder.rungs:
        for seed, table in _seeds_of(chain, rung).items():
            figures = Side(table).figures
            known = {name: figures[name] for name in METRICS if name in figures}
            found.append(Point(table.source.params or 0, seed, known))
    return found


def _links(chain: Chain, reference: Rung, rung: Rung) -> list[Link]:
    """Size, export, quantisation, device: each step with its predictions."""
    links = []
    if rung != reference:
        links.append(Link("size", f"{rung.name} torch", _torch(chain, rung)))
    twin, here = float_twin(chain.format), chain.bench if is_desktop(chain.bench, chain.desktop) else chain.desktop
    place = here if chain.format == twin else chain.desktop
    links.append(Link("export", f"{rung.name} {twin} on {DESKTOP}", _answers(chain, rung, twin, place)))
    if chain.format != twin:
        table = _answers(chain, rung, chain.format, here)
        links.append(Link("quantisation", f"{rung.name} {chain.format} on {DESKTOP}", table))
    if not is_desktop(chain.bench, chain.desktop):
        label = f"{rung.name} {chain.format} on {chain.bench.name}"
        links.append(Link("device", label, _answers(chain, rung, chain.format, chain.bench)))
    return links


def _torch(chain: Chain, rung: Rung) -> Predictions:
    """Torch's own answers, kept at export. Raises IntegrityError if they were given for other images."""
    store, seed = chain.store, chain.seed
    table = store.read_table(torch_table(store, chain.ladder, rung, seed))
    check_torch(table.source, chain.whole.sha256, ladder=chain.ladder, rung=rung, seed=seed, store=store)
    return chain.cut(table)


def _answers(chain: Chain, rung: Rung, fmt: Format, bench: Bench) -> Predictions:
    """The predictions of one exported file on one bench."""
    model = chain.model(rung, fmt)
    return run_images(model, chain.whole, chain.options.images, bench, chain.store, chain.reporter)


def is_desktop(bench: Bench, desktop: Bench) -> bool:
    """Whether the target is this computer with its usual runtime: then there is no device step."""
    one, two = bench.target, desktop.target
    return (
        bench.origin == "desktop"
        and bench.accelerator is None
        and one.runtime.kernels == two.runtime.kernels
        and one.runtime.engine == two.runtime.engine
    )

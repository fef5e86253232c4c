"""Compare the rungs of a ladder on a target with the full-size model, stage by stage."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from edgeval.compare.pair import Context, compare
from edgeval.compare.stages import Link
from edgeval.errors import IntegrityError, MissingError
from edgeval.records.artifact import Format, float_twin
from edgeval.records.findings import Comparison
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.predictions import Predictions
from edgeval.records.reporter import Reporter
from edgeval.store import Store
from edgeval.tasks.samples import Samples
from edgeval.workflow.data import load_split
from edgeval.workflow.export import torch_table
from edgeval.workflow.run import Bench, open_bench, run_model, rung_model

DESKTOP = "desktop"


@dataclass(frozen=True)
class CompareOptions:
    """Which rungs, in which format, which seed, on which target."""

    target: str = DESKTOP
    emulate: bool = False
    rungs: tuple[str, ...] = ()
    format: Format | None = None
    seed: int | None = None


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


def compare_ladder(
    ladder: Ladder, options: CompareOptions, store: Store, reporter: Reporter
) -> tuple[list[Comparison], Samples]:
    """One comparison a rung, and the test images. The reference is the largest rung in the results folder, in torch."""
    for name in options.rungs:
        ladder.rung(name)  # what is typed wrongly comes before what is out of reach
    with open_bench(options.target, emulate=options.emulate) as bench, open_bench(DESKTOP) as desktop:
        fmt = options.format or bench.target.model.format
        reference, rungs, seed = _choose(ladder, options, store)
        samples = load_split(ladder, "test", reporter.bar("test data", ""))
        command = _command(ladder, options, seed) + store.flag
        chain = Chain(ladder, seed, fmt, samples, desktop, bench, store, reporter, command)
        full = _torch(chain, reference)
        return [_row(chain, full, reference, rung) for rung in rungs], samples


def _choose(ladder: Ladder, options: CompareOptions, store: Store) -> tuple[Rung, list[Rung], int]:
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


def _command(ladder: Ladder, options: CompareOptions, seed: int) -> str:
    """The command line that gives this comparison again."""
    words = ["edgeval compare", shlex.quote(ladder.typed), f"--target {shlex.quote(options.target)}"]
    words += [f"--rung {name}" for name in options.rungs]
    words += [f"--format {options.format}"] if options.format else []
    words += [f"--seed {seed}"] + (["--emulate"] if options.emulate else [])
    return " ".join(words)


def _row(chain: Chain, full: Predictions, reference: Rung, rung: Rung) -> Comparison:
    """One rung against the full-size model."""
    links = tuple(_links(chain, reference, rung))
    notes = list(chain.samples.notes)
    if reference != chain.ladder.rungs[-1]:
        top = chain.ladder.rungs[-1].name
        notes.append(f"the largest rung, {top}, is not in {chain.store.root}: {reference.name} is the reference")
    if chain.bench.origin == "emulated":
        notes.append(f"emulated on this computer, not run on a device; fidelity: {chain.bench.fidelity}")
        if chain.bench.target.runtime.kernels == chain.desktop.target.runtime.kernels:
            notes.append(
                "the stand-in is the desktop's own runtime and kernels: its device step is zero by construction"
            )
    trained = {table.source.notes for table in (full, *(link.table for link in links if link.stage == "size"))}
    if len(trained) > 1:
        notes.append(f"the rungs were trained differently: {'; '.join(sorted(' '.join(said) for said in trained))}")
    candidate = links[-1].table
    target = candidate.source.model_copy(update={"name": chain.bench.name})
    return compare(full, candidate, Context(links, target, tuple(notes), chain.command))


def _links(chain: Chain, reference: Rung, rung: Rung) -> list[Link]:
    """Size, export, quantisation, device: each step with its predictions."""
    links = []
    if rung != reference:
        links.append(Link("size", f"{rung.name} torch", _torch(chain, rung)))
    twin = float_twin(chain.format)
    links.append(Link("export", f"{rung.name} {twin} on {DESKTOP}", _answers(chain, rung, twin, chain.desktop)))
    if chain.format != twin:
        table = _answers(chain, rung, chain.format, chain.desktop)
        links.append(Link("quantisation", f"{rung.name} {chain.format} on {DESKTOP}", table))
    if not _is_desktop(chain):
        label = f"{rung.name} {chain.format} on {chain.bench.name}"
        links.append(Link("device", label, _answers(chain, rung, chain.format, chain.bench)))
    return links


def _torch(chain: Chain, rung: Rung) -> Predictions:
    """Torch's own answers, kept at export. Raises IntegrityError if they were given for other images."""
    table = chain.store.read_table(torch_table(chain.store, chain.ladder, rung, chain.seed))
    if table.source.data_sha256 != chain.samples.sha256:
        seen = f"data {str(table.source.data_sha256)[:12]} then, {chain.samples.sha256[:12]} now"
        hint = f"run: edgeval export {chain.ladder.typed} --overwrite{chain.store.flag}"
        raise IntegrityError(f"the test images of {rung.name} changed since it was exported", seen=seen, hint=hint)
    trained = chain.store.checkpoint(chain.store.rung(chain.ladder.name, rung.name, chain.seed))
    if trained and trained[1].sha256 != table.source.sha256:
        hint = f"run: edgeval export {chain.ladder.typed} --rung {rung.name}{chain.store.flag}"
        raise IntegrityError(
            f"{rung.name} was trained again since it was exported", seen=f"seed {chain.seed}", hint=hint
        )
    return table


def _answers(chain: Chain, rung: Rung, fmt: Format, bench: Bench) -> Predictions:
    """The predictions of one exported file on one bench."""
    model = rung_model(chain.store, chain.ladder, rung, chain.seed, fmt)
    return run_model(model, chain.samples, bench, chain.store, chain.reporter)[0]


def _is_desktop(chain: Chain) -> bool:
    """Whether the target is this computer with its usual runtime: then there is no device step."""
    one, two = chain.bench.target, chain.desktop.target
    return (
        chain.bench.origin == "desktop"
        and one.runtime.kernels == two.runtime.kernels
        and one.runtime.engine == two.runtime.engine
    )

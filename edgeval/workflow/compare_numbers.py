"""Compare the rungs of a ladder that learns numbers, as they run on a target, with its largest one, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgeval.compare.regress import RegressionContext, compare_values
from edgeval.compare.value_stages import ValueLink
from edgeval.records.artifact import Format, float_twin
from edgeval.records.fleet import DeviceState
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.regression import RegressionEvidence
from edgeval.records.reporter import Reporter
from edgeval.records.values import Values
from edgeval.store import Store
from edgeval.tasks.quantities import Quantities
from edgeval.workflow.accelerator import accelerator_notes
from edgeval.workflow.answers import check_torch
from edgeval.workflow.artifact import rung_model
from edgeval.workflow.bench import Bench, bench_of, open_bench, origin_notes
from edgeval.workflow.compare import DESKTOP, CompareOptions, choose, command_of, is_desktop
from edgeval.workflow.described import board_notes
from edgeval.workflow.export import torch_table
from edgeval.workflow.fleet import Opening, muster, nobody
from edgeval.workflow.measured import load_part
from edgeval.workflow.numbers import run_values
from edgeval.workflow.run import preflight
from edgeval.workflow.torch_numbers import kept_values


@dataclass(frozen=True)
class _Chain:
    """Everything that the rows of one comparison share."""

    ladder: Ladder
    seed: int
    format: Format
    data: Quantities
    desktop: Bench
    bench: Bench
    store: Store
    reporter: Reporter

    def torch(self, rung: Rung) -> Values:
        """Torch's own answers, kept at export. Raises IntegrityError if they were given for other data."""
        table = kept_values(torch_table(self.store, self.ladder, rung, self.seed))
        where = {"ladder": self.ladder, "rung": rung, "seed": self.seed, "store": self.store}
        check_torch(table.source, self.data.sha256, **where)  # type: ignore[arg-type]
        return table

    def answers(self, rung: Rung, fmt: Format, bench: Bench) -> Values:
        """The numbers of one exported file on one bench."""
        profile = self.bench.target.profile(fmt)
        model = rung_model(self.store, self.ladder, rung, self.seed, fmt, profile=profile)
        preflight(model.path, bench)
        return run_values(model, self.data, bench, self.store, self.reporter)


def compare_number_ladder(
    ladder: Ladder, options: CompareOptions, tolerance: tuple[float, ...] | None, store: Store, reporter: Reporter
) -> list[RegressionEvidence]:
    """One comparison a rung; the reference is the largest rung in the results folder, in torch."""
    for name in options.rungs:
        ladder.rung(name)
    with bench_of(options, reporter) as bench, open_bench(DESKTOP) as desktop:
        fmt = options.format or bench.target.model.format
        reference, rungs, seed = choose(ladder, options, store)
        chain = _Chain(ladder, seed, fmt, load_part(ladder, "test"), desktop, bench, store, reporter)
        full, found = chain.torch(reference), []
        for rung in rungs:
            links = tuple(_links(chain, reference, rung))
            last = links[-1].table.source
            notes = (*_top(chain, reference), *chain.data.samples.notes, *origin_notes(last))
            notes += accelerator_notes(last) + board_notes(last)
            target = last.model_copy(update={"name": bench.name})
            command = command_of(ladder, options, seed) + store.flag
            context = RegressionContext(tolerance, target, notes, command, links=links)
            found.append(compare_values(full, links[-1].table, context))
    return found


def compare_number_fleet(
    ladder: Ladder,
    options: CompareOptions,
    names: Sequence[str],
    tolerance: tuple[float, ...] | None,
    store: Store,
    reporter: Reporter,
) -> tuple[list[RegressionEvidence], list[DeviceState]]:
    """The same on several targets: all run first, at once; one comparison a target that answered and rung.

    Also what became of each target. Raises where none answered.
    """
    for name in options.rungs:
        ladder.rung(name)
    _, rungs, seed = choose(ladder, options, store)
    data = load_part(ladder, "test")

    def work(bench: Bench, told: Reporter) -> None:
        for rung in rungs:
            fmt = options.format or bench.target.model.format
            model = rung_model(store, ladder, rung, seed, fmt, profile=bench.target.profile(fmt))
            run_values(model, data, bench, store, told)

    boards = muster(names, work, reporter, Opening(options.emulate, options.instructions))
    found: list[RegressionEvidence] = []
    for board in boards:
        if board.error is None:
            asked = replace(options, target=board.target, opened=board.bench)
            found += compare_number_ladder(ladder, asked, tolerance, store, reporter)
    if not found:
        raise nobody(boards)
    return found, [board.state for board in boards]


def _links(chain: _Chain, reference: Rung, rung: Rung) -> list[ValueLink]:
    """Size, export, quantisation, device: each step with its numbers. Size is also that of the training set."""
    links = [ValueLink("size", f"{rung.name} torch", chain.torch(rung))] if rung != reference else []
    twin, same = float_twin(chain.format), is_desktop(chain.bench, chain.desktop)
    here = chain.bench if same else chain.desktop
    place = here if chain.format == twin else chain.desktop
    links.append(ValueLink("export", f"{rung.name} {twin} on {DESKTOP}", chain.answers(rung, twin, place)))
    if chain.format != twin:
        table = chain.answers(rung, chain.format, here)
        links.append(ValueLink("quantisation", f"{rung.name} {chain.format} on {DESKTOP}", table))
    if not same:
        label = f"{rung.name} {chain.format} on {chain.bench.name}"
        links.append(ValueLink("device", label, chain.answers(rung, chain.format, chain.bench)))
    return links


def _top(chain: _Chain, reference: Rung) -> tuple[str, ...]:
    """Whether the ladder's largest rung is missing."""
    top = chain.ladder.rungs[-1].name
    said = f"the largest rung, {top}, is not in {chain.store.root}: {reference.name} is the reference"
    return () if reference.name == top else (said,)

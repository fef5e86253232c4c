"""Compare on several targets: all of them run first, at once; then each that answered is compared as one alone is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgeval.errors import InputError
from edgeval.records.evidence import Evidence
from edgeval.records.ladder import Ladder
from edgeval.records.reporter import Reporter, Silent
from edgeval.store import Store
from edgeval.tasks.samples import Samples
from edgeval.workflow.artifact import rung_model
from edgeval.workflow.bench import Bench
from edgeval.workflow.compare import Before, CompareOptions, choose, compare_ladder, nothing_before
from edgeval.workflow.data import load_split
from edgeval.workflow.fleet import Compared, Member, Opening, fleet_of, muster
from edgeval.workflow.models import (
    Setting,
    SideSpec,
    check_side,
    compare_models,
    is_model,
    read_data,
    side_table,
    text_is_rung,
)
from edgeval.workflow.partial import run_images


def compare_ladder_fleet(
    ladder: Ladder,
    options: CompareOptions,
    names: Sequence[str],
    store: Store,
    reporter: Reporter,
    before: Before = nothing_before,
) -> Compared:
    """One comparison a target and rung."""
    for name in options.rungs:
        ladder.rung(name)
    _, rungs, seed = choose(ladder, options, store)
    whole = load_split(ladder, "test", reporter.bar("test data", ""))

    def work(bench: Bench, told: Reporter) -> None:
        for rung in rungs:
            fmt = options.format or bench.target.model.format
            model = rung_model(store, ladder, rung, seed, fmt, profile=bench.target.profile(fmt))
            run_images(model, whole, options.images, bench, store, told)

    boards = muster(names, work, reporter, Opening(options.emulate, options.instructions))
    evidences: list[Evidence] = []
    samples: Samples | None = None
    for board in answered(boards):
        asked = replace(options, target=board.target, opened=board.bench)
        told = before if not evidences else nothing_before
        found, samples = compare_ladder(ladder, asked, store, reporter, told, whole)
        evidences += found
    return Compared(evidences, samples, fleet_of(ladder.name, boards, evidences))


def compare_models_fleet(
    sides: tuple[SideSpec, SideSpec], setting: Setting, names: Sequence[str], store: Store, reporter: Reporter
) -> Compared:
    """One comparison a target, of any reference with a candidate that runs there."""
    reference, candidate = sides
    for side in sides:
        check_side(side)
    if not is_model(candidate.text) and not text_is_rung(candidate.text):
        raise InputError("a table of answers runs nowhere", seen=candidate.text, hint="give one target, or none")
    whole = read_data(sides, setting, reporter)

    def work(bench: Bench, told: Reporter) -> None:
        side_table(candidate, whole, replace(setting, opened=bench), store, told)

    boards = muster(names, work, reporter, Opening(setting.emulate, setting.instructions))
    evidences: list[Evidence] = []
    samples: Samples | None = None
    for board in answered(boards):
        asked = replace(setting, target=board.target, opened=board.bench)
        told = reporter if not evidences else Silent()  # the statements about both sides are the same for all
        asked = asked if not evidences else replace(asked, before=nothing_before)
        found, samples = compare_models(reference, candidate, asked, store, told, whole)
        evidences.append(found)
    return Compared(evidences, samples, fleet_of(candidate.text, boards, evidences))


def answered(boards: Sequence[Member]) -> list[Member]:
    """The boards whose work is done."""
    return [board for board in boards if board.error is None]

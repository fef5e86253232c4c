"""Fit laws of error against size, to points or to a ladder's answers, and say which rung to ship to a target."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeval.compare.deployed import Answered, answered, deployed, errors_of
from edgeval.compare.laws import law
from edgeval.errors import MissingError
from edgeval.measures.powerlaw import FEWEST
from edgeval.records.deployed import Deployed
from edgeval.records.gate import Rule
from edgeval.records.ladder import Ladder, Rung
from edgeval.records.reporter import Reporter
from edgeval.records.scaling import Scaling
from edgeval.store import Store
from edgeval.workflow.answers import check_torch
from edgeval.workflow.data import check_classifies
from edgeval.workflow.export import torch_table
from edgeval.workflow.fleet import targets_of
from edgeval.workflow.keep import keep
from edgeval.workflow.points import read_points
from edgeval.workflow.predict import RunOptions, run_ladder


def scaling_of_points(path: Path) -> Scaling:
    """The law over a CSV with the columns params, error and optionally seed. Raises DataError."""
    command = f"edgeval scaling --points {shlex.quote(str(path))}"
    return Scaling(**law(path.name, read_points(path)).model_dump(), command=command)


def scaling_of_ladder(
    ladder: Ladder, options: RunOptions, store: Store, reporter: Reporter, *, rules: Sequence[Rule] = ()
) -> Scaling:
    """The law over a ladder's float checkpoints; over its exported files on each target, which rung to ship there.

    rules: margins that the rung to ship must keep. Raises MissingError.
    """
    check_classifies(ladder)
    targets = targets_of(options.target)
    rungs = [ladder.rung(name) for name in options.rungs] or list(ladder.rungs)
    trained = _torch(ladder, rungs, options, store)
    errors, names = errors_of(trained)
    if len(errors) < FEWEST:
        seen = ", ".join(names.values()) or f"nothing of {ladder.name} in {store.root}"
        more = f"edgeval train {ladder.typed} && edgeval export {ladder.typed}{store.flag}"
        hint = "leave --rung away, or name more" if len(options.rungs) in range(1, FEWEST) else f"run: {more}"
        raise MissingError(f"a law needs at least {FEWEST} exported rungs", seen=seen, hint=hint)
    fitted = law(f"{ladder.name}, as trained", errors, names=names)
    found = [
        one
        for target in targets
        for one in _deployed(ladder, replace(options, target=target), store, reporter, (trained, rules))
    ]
    return Scaling(**fitted.model_dump(), deployed=tuple(found), command=_command(ladder, options, rules) + store.flag)


def _torch(ladder: Ladder, rungs: Sequence[Rung], options: RunOptions, store: Store) -> list[Answered]:
    """Torch's answers of these rungs, as far as they are exported."""
    paths = [
        (rung, seed, torch_table(store, ladder, rung, seed))
        for rung in rungs
        for seed in options.seeds or store.seeds(ladder.name, rung.name)
    ]
    return [answered(store.read_table(path), rung.name, seed, path) for rung, seed, path in paths if path.exists()]


def _reference(ladder: Ladder, options: RunOptions, store: Store) -> tuple[list[Answered], list[str]]:
    """Torch's answers of the largest rung in the results folder, asked for or not, and what to say of it."""
    for rung in reversed(ladder.rungs):
        found = _torch(ladder, [rung], options, store)
        if found:
            top = ladder.rungs[-1].name
            said = f"the largest rung, {top}, is not in {store.root}: {rung.name} is the reference"
            return found, [] if rung.name == top else [said]
    raise MissingError(f"{ladder.name} is not exported in {store.root}", hint=f"run: edgeval export {ladder.typed}")


def _deployed(
    ladder: Ladder,
    options: RunOptions,
    store: Store,
    reporter: Reporter,
    against: tuple[Sequence[Answered], Sequence[Rule]],
) -> list[Deployed]:
    """One law a format on one target; `against` holds the networks as trained, and the rules for the rung to ship."""
    trained, rules = against
    reference, said = _reference(ladder, options, store)
    groups: dict[str, list[Answered]] = {}
    for ran in run_ladder(ladder, options, store, reporter):
        source = ran.table.source
        beside = (*(one for one in trained if one.rung == ran.rung.name), *reference)
        for one in (one for one in beside if one.seed == ran.seed):
            rung = ladder.rung(one.rung)
            check_torch(one.source, source.data_sha256, ladder=ladder, rung=rung, seed=one.seed, store=store)
        name = f"{ladder.name}, {source.format} on {source.target} ({source.origin})"
        groups.setdefault(name, []).append(answered(ran.table, ran.rung.name, ran.seed, ran.path))
    found = []
    for name, mine in groups.items():
        fitted = deployed(name, trained, mine, reference)
        notes = (*fitted.notes, *said, *_places(mine))
        found.append(fitted.model_copy(update={"kept": keep(rules, mine, reference, store), "notes": notes}))
    return found


def _places(ran: Sequence[Answered]) -> list[str]:
    """What the tables say of themselves, each once."""
    return list(dict.fromkeys(note for one in ran for note in one.source.notes))


def _command(ladder: Ladder, options: RunOptions, rules: Sequence[Rule]) -> str:
    """The command line that gives this again."""
    words = ["edgeval scaling", shlex.quote(ladder.typed), f"--target {shlex.quote(options.target)}"]
    words += [f"--rung {name}" for name in options.rungs] + [f"--seed {seed}" for seed in options.seeds]
    words += [f"--format {fmt}" for fmt in options.formats] + (["--emulate"] if options.emulate else [])
    return " ".join([*words, *(f"--keep {rule.metric}={rule.amount.typed.strip()}" for rule in rules)])

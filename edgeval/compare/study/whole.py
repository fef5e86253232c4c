"""The analysis of a whole study from the kept answers of its models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgeval.compare.deployed import Answered, deployed
from edgeval.compare.laws import law
from edgeval.compare.study.claims import claims
from edgeval.compare.study.errorsets import Seeds, pair_rows
from edgeval.compare.study.sizes import Group, class_mean, ece, groups, size_row
from edgeval.compare.study.where import flips_row
from edgeval.errors import DataError
from edgeval.measures import accuracy
from edgeval.measures.powerlaw import FEWEST
from edgeval.records.answers import Answers
from edgeval.records.artifact import TORCH
from edgeval.records.deployed import Deployed
from edgeval.records.laws import Law
from edgeval.records.study import ClassRow, FlipsRow, SizeRow, Study

Rungs = Sequence[Seeds]


def analyse(answers: Answers, *, name: str) -> Study:
    """Figures of each size, laws, error sets, classes, deployment and the paper's claims. Raises DataError."""
    if not answers.models:
        raise DataError("there is no model in these answers", hint=f"run: edgeval study {name}")
    answers, stale = _matching(answers)
    made = groups(answers)
    rows = [size_row(answers, at) for at in made.values()]
    trained = [_seeds(answers, at) for key, at in made.items() if key[2] == TORCH]
    ladders = {one.ladder: [rung for rung in trained if rung.ladder == one.ladder] for one in trained}
    laws = [_law(answers, ladder, rungs) for ladder, rungs in ladders.items() if _lawful(answers, rungs)]
    pairs = pair_rows(answers, trained)
    torch = [row for row in rows if row.format == TORCH]
    return Study(
        name=name,
        protocols=tuple(dict.fromkeys(row.protocol for row in rows)),
        n=len(answers.labels),
        rows=tuple(rows),
        laws=tuple(laws),
        pairs=tuple(pairs),
        deployed=tuple(_deployed(answers, ladders)),
        flips=tuple(_flips(answers)),
        classes=tuple(row for rungs in ladders.values() if len(_sizes(rungs)) > 1 for row in _classes(answers, rungs)),
        claims=claims(torch, laws, pairs),
        notes=(*_notes(rows), *stale, *_faultless(answers, made)),
    )


def _matching(answers: Answers) -> tuple[Answers, list[str]]:
    """Without those deployed answers whose network was trained again since by another protocol, and what to say."""
    torch = {(m.ladder, m.rung, m.seed): m.protocol for m in answers.models if m.place[0] == TORCH}
    fresh = [torch.get((m.ladder, m.rung, m.seed), m.protocol) == m.protocol for m in answers.models]
    gone = fresh.count(False)
    said = f"{gone} deployed networks are left out: torch has answers of another protocol there"
    return answers.only([k for k, good in enumerate(fresh) if good]), [said] if gone else []


def _seeds(answers: Answers, at: Sequence[int]) -> Seeds:
    first = answers.models[at[0]]
    return Seeds(first.ladder, first.rung, first.params, at)


def _sizes(rungs: Rungs) -> set[int]:
    return {rung.params for rung in rungs}


def _errs(answers: Answers, at: Sequence[int]) -> bool:
    """Whether every seed errs somewhere: a power law has no zero."""
    return not answers.correct[list(at)].all(axis=1).any()


def _lawful(answers: Answers, rungs: Rungs) -> bool:
    """Whether a law can be fitted to these sizes."""
    return len(_sizes(rungs)) >= FEWEST and all(_errs(answers, rung.at) for rung in rungs)


def _faultless(answers: Answers, made: Mapping[Group, Sequence[int]]) -> list[str]:
    """Which sizes err nowhere, so that their ladder has no law."""
    return [
        f"{ladder} has no law in {fmt}: {rung} gives no wrong answer, and the error of a power law is never 0"
        for (ladder, rung, fmt, *_), at in made.items()
        if not _errs(answers, at)
    ]


def _law(answers: Answers, ladder: str, rungs: Rungs) -> Law:
    """The law of one ladder as trained."""
    errors: dict[int, list[float]] = {}
    for rung in rungs:  # one a protocol, so a size may come twice
        errors.setdefault(rung.params, []).extend(1 - float(answers.correct[k].mean()) for k in rung.at)
    return law(f"{ladder}, as trained", errors, names={rung.params: rung.rung for rung in rungs})


def _deployed(answers: Answers, ladders: dict[str, list[Seeds]]) -> list[Deployed]:
    """The law and the table of each ladder, format and target that has enough sizes."""
    found = []
    for ladder, rungs in ladders.items():
        mine = [_answered(answers, k) for rung in rungs for k in rung.at]
        reference = [one for one in mine if one.params == max(rung.params for rung in rungs)]
        for fmt, target in _places(answers, ladder):
            ran = [k for k, m in enumerate(answers.models) if (m.ladder, *m.place) == (ladder, fmt, target)]
            sizes = len({answers.models[k].params for k in ran})
            if sizes >= FEWEST and _errs(answers, [*ran, *(k for rung in rungs for k in rung.at)]):
                origin = answers.models[ran[0]].source.origin
                name = f"{ladder}, {fmt} on {target} ({origin})"
                found.append(deployed(name, mine, [_answered(answers, k) for k in ran], reference))
    return found


def _places(answers: Answers, ladder: str) -> list[tuple[str, str]]:
    """Formats and targets that a ladder's models ran in, torch left out."""
    places = (m.place for m in answers.models if m.ladder == ladder)
    return list(dict.fromkeys(place for place in places if place[0] != TORCH))


def _answered(answers: Answers, k: int) -> Answered:
    """One model as the tables of deployment take it."""
    model, seen = answers.models[k], class_mean(answers, [k])
    figures = {
        "top1": float(answers.correct[k].mean()),
        "bottom5": float(accuracy.bottom(seen, 5)),
        "ece": ece(answers, k),
    }
    return Answered(model.rung, model.params, model.seed, Path(), model.source, answers.correct[k], figures)


def _flips(answers: Answers) -> list[FlipsRow]:
    """Where each deployed rung differs from its own torch network."""
    torch = {(m.ladder, m.rung, m.seed): k for k, m in enumerate(answers.models) if m.place[0] == TORCH}
    found = []
    for (ladder, rung, fmt, *_), at in groups(answers).items():
        pairs = [
            (torch[ladder, rung, answers.models[k].seed], k)
            for k in at
            if (ladder, rung, answers.models[k].seed) in torch
        ]
        if fmt != TORCH and pairs:
            found.append(flips_row(answers, pairs))
    return found


def _classes(answers: Answers, rungs: Rungs) -> list[ClassRow]:
    """Every class between the smallest and the largest rung, the one that gains least first."""
    small, large = min(rungs, key=lambda r: r.params), max(rungs, key=lambda r: r.params)
    classes = len(answers.class_names)
    ends = [
        np.stack([accuracy.class_accuracy(answers.correct[k], answers.labels, classes) for k in rung.at])
        for rung in (small, large)
    ]
    means, spreads = [end.mean(axis=0) for end in ends], [end.var(axis=0) for end in ends]
    rows = [
        ClassRow(
            ladder=small.ladder,
            name=name,
            small=float(means[0][c]),
            large=float(means[1][c]),
            delta=float(means[1][c] - means[0][c]),
            sd=float(np.sqrt(spreads[0][c] + spreads[1][c])) if max(map(len, ends)) > 1 else None,
        )
        for c, name in enumerate(answers.class_names)
        if not np.isnan(means[0][c])
    ]
    return sorted(rows, key=lambda row: row.delta)


def _notes(rows: Sequence[SizeRow]) -> list[str]:
    """What a reader must know of how the figures came about."""
    protocols = list(dict.fromkeys(row.protocol for row in rows))
    notes = [
        f"{ladder}: its law and its classes mix networks of different protocols"
        for ladder in dict.fromkeys(row.ladder for row in rows)
        if len({row.protocol for row in rows if row.ladder == ladder}) > 1
    ]
    notes += [
        f'protocol "{name}": not the paper\'s, whose figures stand beside ours for orientation'
        for name in protocols
        if name != "paper"
    ]
    counts = sorted({len(row.seeds) for row in rows})
    return notes + ([f"{counts[0]} to {counts[-1]} seeds a size"] if len(counts) > 1 else [])

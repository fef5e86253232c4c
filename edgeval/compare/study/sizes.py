"""Figures of each size over its seeds, as the paper defines them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeval.measures import accuracy, calibration
from edgeval.records.answers import Answers, Entry
from edgeval.records.artifact import TORCH
from edgeval.records.study import SizeRow, Spread

Group = tuple[str, str, str, str, str]  # ladder, rung, format, target, protocol


def groups(answers: Answers) -> dict[Group, list[int]]:
    """Positions of the seeds of each rung, format, target and protocol; smallest rung first within each ladder."""
    found: dict[Group, list[int]] = {}
    order = sorted(range(len(answers.models)), key=lambda k: _rank(answers.models[k]))
    for k in order:
        model = answers.models[k]
        found.setdefault((model.ladder, model.rung, *model.place, model.protocol), []).append(k)
    return found


def _rank(model: Entry) -> tuple[str, str, str, str, int, int]:
    """Ladder, torch first, then by format and target, size and seed."""
    fmt, target = model.place
    return model.ladder, "" if fmt == TORCH else fmt, target, model.protocol, model.params, model.seed


def size_rows(answers: Answers) -> list[SizeRow]:
    """One row a rung, format and target."""
    return [size_row(answers, seeds) for seeds in groups(answers).values()]


def size_row(answers: Answers, seeds: Sequence[int]) -> SizeRow:
    """The row of one rung; seeds: positions of its seeds."""
    models = [answers.models[k] for k in seeds]
    first, averaged = models[0], class_mean(answers, seeds)
    singles = [class_mean(answers, [k]) for k in seeds]
    names = ("top5", "nll", "brier", "temperature", "ece_before", "ece_after")
    given = {name: spread_of(getattr(model, name) for model in models) for name in names}
    return SizeRow(
        ladder=first.ladder,
        rung=first.rung,
        params=first.params,
        format=first.place[0],
        target=first.place[1],
        origin=first.source.origin,
        protocol=first.protocol,
        seeds=tuple(model.seed for model in models),
        top1=spread([float(answers.correct[k].mean()) for k in seeds]),
        ece=spread([ece(answers, k) for k in seeds]),
        gini=float(accuracy.gini(averaged)),
        bottom5=float(accuracy.bottom(averaged, 5)),
        bottom10=float(accuracy.bottom(averaged, 10)),
        bottom20=float(accuracy.bottom(averaged, 20)),
        gini_single=spread([float(accuracy.gini(one)) for one in singles]),
        bottom5_single=spread([float(accuracy.bottom(one, 5)) for one in singles]),
        **given,
    )


def class_mean(answers: Answers, seeds: Sequence[int]) -> NDArray[np.float64]:
    """(C,) class accuracies averaged over seeds; classes without a sample left out."""
    classes = len(answers.class_names)
    rows = np.stack([accuracy.class_accuracy(answers.correct[k], answers.labels, classes) for k in seeds])
    mean: NDArray[np.float64] = rows.mean(axis=0)
    return mean[~np.isnan(mean)]


def ece(answers: Answers, k: int) -> float:
    """ECE of one model from its kept confidences, which have the 11 bits of float16."""
    return calibration.ece(answers.confidences[k].astype(np.float64), answers.correct[k])


def spread(values: Sequence[float]) -> Spread:
    """Mean and standard deviation (ddof 0)."""
    array = np.array(values)
    return Spread(mean=float(array.mean()), sd=float(array.std()), n=len(array))


def spread_of(values: Iterable[float | None]) -> Spread | None:
    """The same of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return spread(known) if known else None

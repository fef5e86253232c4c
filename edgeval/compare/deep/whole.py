"""The analysis of a whole study of regressors from the kept errors of its models."""

from __future__ import annotations

from collections.abc import Sequence

from edgeval.compare.deep.alike import check_alike, learnt
from edgeval.compare.deep.baselines import baselines
from edgeval.compare.deep.claims import checks, claims
from edgeval.compare.deep.doublings import doublings
from edgeval.compare.deep.floors import floors
from edgeval.compare.deep.laws import laws, series_of
from edgeval.compare.deep.sizes import repeated, rows, sizes_of
from edgeval.errors import DataError
from edgeval.records.deep_regression import DeepRegression, SizeErrors
from edgeval.records.regressors import BASELINE, Regressors

BAND = 0.02  # of the range that a parameter was drawn from


def analyse(found: Regressors, *, name: str) -> DeepRegression:
    """Errors by size, laws, int8 floors, baselines, what to buy more of, the paper's claims. Raises DataError."""
    if not any(model.source.format != BASELINE for model in found.models):
        raise DataError("there is no network in these answers", hint=f"run: edgeval study {name}")
    check_alike(learnt(found))
    made, band = sizes_of(found), (BAND,) * len(found.output_names)
    series, table = series_of(found, made), rows(found, made, band)
    fitted, bought, beside = laws(found, series), doublings(found, series), baselines(found, made)
    return DeepRegression(
        name=name,
        protocols=tuple(dict.fromkeys(row.protocol for row in table)),
        n=len(found.targets),
        outputs=found.output_names,
        band=band,
        units=found.units,
        rows=tuple(table),
        laws=tuple(fitted),
        floors=tuple(floors(found, series)),
        doublings=tuple(bought),
        baselines=tuple(beside),
        claims=claims(table, fitted, bought),
        checks=checks(table, fitted, beside),
        notes=(*_notes(table), *_copies(found)),
    )


def _notes(table: Sequence[SizeErrors]) -> list[str]:
    """What a reader must know of how the figures came about."""
    counts = sorted({len(row.seeds) for row in table})
    notes = ["images are CrI3-like, of our own simulator, not the paper's data: exponents need not be the paper's"]
    if len(counts) > 1:
        notes.append(
            f"{counts[0]} to {counts[-1]} seeds a size: ratios, shares that left or came and"
            " where a law stops compare the same seeds; an MSE or an exponent is that of all seeds that are there"
        )
    return notes


def _copies(found: Regressors) -> list[str]:
    """Networks that two ladders share, a sentence a pair of ladders."""
    shared: dict[tuple[str, str], dict[str, None]] = {}
    for k, kept in repeated(found):
        pair = found.models[k].ladder, found.models[kept].ladder
        shared.setdefault(pair, {})[found.models[kept].rung] = None
    return [
        f"counted once, as in {other}: {', '.join(rungs)}, which {one} has too with the same protocol and seeds"
        for (one, other), rungs in shared.items()
    ]

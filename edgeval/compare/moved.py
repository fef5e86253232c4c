"""How far a regression candidate's answers moved: by output, by range of the target, by sample; and what looks odd."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeval.measures.regression import movement
from edgeval.records.regression import ErrorBin, ErrorCurve, Moved, MovedSample
from edgeval.records.values import Values

Floats = NDArray[np.float64]
BINS, PER_BIN = 10, 5
SHARES = 50
MOST_MOVED = 20
GRID, SATURATED = 256, 0.02


def moved(reference: Floats, candidate: Floats, deviation: float | None) -> Moved:
    """|candidate - reference| of one output; reference, candidate: (N,), deviation: that of its targets."""
    found = movement(reference, candidate)
    sizes = {"rms": found.rms, "p95": found.p95, "max": found.max}
    if not deviation:
        return Moved(**sizes)
    return Moved(**sizes, **{f"{name}_relative": size / deviation for name, size in sizes.items()})


def error_bins(targets: Floats, reference: Floats, candidate: Floats) -> tuple[ErrorBin, ...]:
    """Errors by range of the target, in up to 10 bins of about equal count; errors: (N,) answer minus target."""
    count = int(np.clip(len(targets) // PER_BIN, 1, BINS))
    edges = np.unique(np.quantile(targets, np.linspace(0, 1, count + 1), method="inverted_cdf"))
    index = np.clip(np.searchsorted(edges, targets, side="right") - 1, 0, max(len(edges) - 2, 0))
    parts = [np.flatnonzero(index == k) for k in range(max(len(edges) - 1, 1))]
    return tuple(
        ErrorBin(
            lo=float(targets[part].min()),
            hi=float(targets[part].max()),
            n=len(part),
            rmse_reference=float(np.sqrt((reference[part] ** 2).mean())),
            rmse_candidate=float(np.sqrt((candidate[part] ** 2).mean())),
            bias_reference=float(reference[part].mean()),
            bias_candidate=float(candidate[part].mean()),
        )
        for part in parts
        if len(part)
    )


def curve(reference: Floats, candidate: Floats) -> ErrorCurve:
    """The absolute error that 2%, 4% ... 100% of the samples stay within; errors: (N,)."""
    shares = np.arange(1, SHARES + 1) / SHARES
    one, two = (np.quantile(np.abs(e), shares, method="inverted_cdf") for e in (reference, candidate))
    return ErrorCurve(share=tuple(shares.tolist()), reference=tuple(one.tolist()), candidate=tuple(two.tolist()))


def most_moved(reference: Values, candidate: Values) -> tuple[MovedSample, ...]:
    """The samples whose answers moved most, in standard deviations of the targets; those that moved at all."""
    deviation = reference.targets.std(axis=0)
    distance = np.abs(candidate.values - reference.values) / np.where(deviation > 0, deviation, 1.0)
    output = distance.argmax(axis=1)
    furthest = distance.max(axis=1)
    order = [int(i) for i in np.argsort(-furthest, kind="stable")[:MOST_MOVED] if furthest[i] > 0]
    ids = reference.ids or tuple(map(str, range(len(reference))))
    return tuple(
        MovedSample(
            id=ids[i],
            output=reference.output_names[output[i]],
            target=float(reference.targets[i, output[i]]),
            reference=float(reference.values[i, output[i]]),
            candidate=float(candidate.values[i, output[i]]),
        )
        for i in order
    )


def oddities(table: Values) -> tuple[str, ...]:
    """Notes on the answers of a table that are constant, lie on a coarse grid, or stick to their end of the range."""
    notes = []
    for name, values, targets in zip(table.output_names, table.values.T, table.targets.T, strict=True):
        levels, counts = np.unique(values, return_counts=True)
        if len(values) > 1 and len(levels) == 1:
            notes.append(f"{table.source.name} answers {levels[0]:g} for every sample ({name})")
        elif len(levels) <= GRID < len(values):
            step = float(np.diff(levels).min())
            relative = f", {step / targets.std():.1%} of the targets' standard deviation" if targets.std() > 0 else ""
            notes.append(
                f"{table.source.name}: {name} takes {len(levels)} different values in steps of {step:.3g}{relative}"
            )
            stuck = int(max(counts[0], counts[-1]))
            outside = int(((targets < levels[0]) | (targets > levels[-1])).sum())
            if stuck > SATURATED * len(values) and outside:
                notes.append(
                    f"{stuck:,} answers of {name} stand at the end of its range ({levels[0]:g} to {levels[-1]:g}), "
                    f"and {outside:,} targets lie beyond it: it may be clipped"
                )
    return tuple(notes)

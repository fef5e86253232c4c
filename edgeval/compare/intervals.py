"""Resampled figures of one side, and differences of two sides paired by sample, each ready to give its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeval.compare.side import BOTTOMS, Facts, Side
from edgeval.measures import accuracy, calibration, resample
from edgeval.measures.resample import RESAMPLES, Resampled, Sums, Term
from edgeval.measures.spread import shrunk_shares

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Measures = dict[str, Callable[[Floats], Floats]]
Groups = dict[str, tuple[Term, ...]]

BY_CLASS: Measures = {
    "gini": accuracy.gini,
    **{name: (lambda values, k=k: accuracy.bottom(values, k)) for name, k in BOTTOMS.items()},  # type: ignore[misc]
}
BINNED: dict[str, Callable[[Floats], Ints]] = {"ece": calibration.bin_index, "ece_equal_mass": calibration.mass_index}
SCHEME = f"bootstrap, stratified by class, {RESAMPLES:,} resamples"
PLAUSIBLE = 1.2
LEVEL = 0.05
LIMITS = {"nll": np.inf, "brier": 2.0}
SECOND = 200
FEW_A_CLASS, FEW_SAMPLES = 30, 100
COARSER = {1: 1.0, 2: 1.25}  # how much more figures of one side and changes vary than their draws, by simulation


def differences(a: Side, b: Side, seed: int = 0) -> dict[str, Resampled]:
    """Candidate b - reference a, paired: top5, ece, ece_equal_mass, gini, bottom5/10/20, nll, brier where known."""
    return between(a.facts, b.facts, seed=seed)


def estimates(side: Side, seed: int = 0) -> dict[str, Resampled]:
    """The same measures of one side."""
    return alone(side.facts, seed=seed)


def alone(facts: Facts, *, seed: int = 0, resamples: int = RESAMPLES) -> dict[str, Resampled]:
    """Each measure of one side."""
    counts = _cells(facts, (~facts.correct).astype(np.int64), 2)
    found = _by_class(counts, (np.array([1, 0]),), f"basic {SCHEME}", (seed, resamples))
    groups: Groups = {name: (Term(values),) for name, values in facts.terms.items()}
    groups |= {name: (_binned(facts, name),) for name in BINNED if facts.confidences is not None}
    drawn = _drawn(groups, facts, (seed, resamples))
    found |= {name: _mean(drawn[name], len(facts), f"basic {SCHEME}") for name in facts.terms}
    for name in BINNED if facts.confidences is not None else ():
        found[name] = _from_zero(
            _gap(drawn[name], len(facts), f"basic {SCHEME}, bounded bias"), facts, name, (seed, resamples)
        )
    return {name: replace(one, limits=(0.0, LIMITS.get(name, 1.0))) for name, one in found.items()}


def between(a: Facts, b: Facts, *, seed: int = 0, resamples: int = RESAMPLES) -> dict[str, Resampled]:
    """Each measure of b less that of a, on the same samples."""
    counts = _cells(a, 2 * ~a.correct + ~b.correct, 4)
    how = f"paired basic {SCHEME}"
    found = _by_class(counts, (np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0])), how, (seed, resamples))
    shared = [name for name in a.terms if name in b.terms]
    groups: Groups = {name: (Term(b.terms[name] - a.terms[name]),) for name in shared}
    known = BINNED if a.confidences is not None and b.confidences is not None else ()
    groups |= {name: (_binned(a, name), _binned(b, name)) for name in known}
    drawn = _drawn(groups, a, (seed, resamples))
    found |= {name: _mean(drawn[name], len(a), how) for name in shared}
    for name in known:
        found[name] = _gap_change(drawn[name], len(a), f"{how}, bounded bias", seed)
    most = {name: LIMITS.get(name, 1.0) for name in found}
    return {name: replace(one, limits=(-most[name], most[name])) for name, one in found.items()}


def _drawn(groups: Groups, facts: Facts, draw: tuple[int, int]) -> dict[str, Sums]:
    """Sums drawn, spread by n / (n - K): drawing n_k of n_k samples understates the variance by 1 / n_k."""
    if not groups:
        return {}
    n, classes = len(facts), len(np.unique(facts.labels))
    wider = n / (n - classes) if n > classes else 1.0
    drawn = resample.sums(groups, facts.labels, seed=draw[0], resamples=draw[1])
    return {
        name: Sums(one.observed, one.covariance * wider, one.observed + (one.draws - one.observed) * np.sqrt(wider))
        for name, one in drawn.items()
    }


def _binned(facts: Facts, name: str) -> Term:
    """Right minus confidence of each sample, in its bin."""
    assert facts.confidences is not None
    return Term(facts.correct - facts.confidences, BINNED[name](facts.confidences), calibration.BINS)


def _cells(facts: Facts, cell: Ints, width: int) -> Ints:
    """(K, width) samples of each class that is not empty in each cell."""
    counts = np.bincount(facts.labels * width + cell, minlength=facts.classes * width).reshape(-1, width)
    found: Ints = counts[counts.sum(axis=1) > 0].astype(np.int64)
    return found


def _by_class(counts: Ints, sides: tuple[Ints, ...], how: str, draw: tuple[int, int]) -> dict[str, Resampled]:
    """Gini and bottom-k of one side, or of the second less the first; `sides` says in which cells each one is right.

    Tables come from shares shrunk to the true spread of classes. What is reported has that bias taken out, and varies
    more than the plain figure does, since the spread is itself an estimate: draws are widened by that ratio. The bias
    is trusted to half its size, and of the biases of two sides, which mostly cancel, a tenth may have stayed. Where few
    classes were damaged, a change without its bias varies by a fifth to a quarter more than that (`COARSER`).
    """
    sizes, shares = counts.sum(axis=1), shrunk_shares(counts)

    def values(cells: Floats) -> dict[str, Floats]:
        return {name: np.stack([measure(cells @ side) for side in sides]) for name, measure in BY_CLASS.items()}

    observed, centre = values(counts / sizes[:, None]), values(shares)
    drawn: list[dict[str, Floats]] = []
    again = observed
    for block in resample.tables(shares, sizes, draw[1], seed=draw[0]):
        again = again if drawn else values(shrunk_shares(block[:SECOND]))
        drawn.append(values(block / sizes[:, None]))
    found = {}
    for name in BY_CLASS:
        both = np.concatenate([block[name] for block in drawn], axis=1)
        draws, left = _change(both), np.abs(both.mean(axis=1) - centre[name]).sum()
        ratio = float(_change(again[name]).std()) / max(float(draws[: len(again[name][0])].std()), 1e-12)
        middle, at = draws.mean(), float(_change(centre[name]))
        slack = 0.5 * abs(float(middle) - at) + 0.1 * float(left)
        spread = middle + (draws - middle) * max(1.0, ratio) * COARSER[len(sides)]
        value = float(_change(observed[name]))
        found[name] = Resampled(value, spread, how, _thin(sizes), centre=at, slack=(slack, slack))
    return found


def _thin(sizes: Ints) -> str:
    """Why figures of classes are approximate: too few samples in some class for the simulated coverage to hold."""
    least = int(sizes[sizes > 0].min(initial=FEW_A_CLASS))
    return f"a class of {least} samples, fewer than {FEW_A_CLASS}" if least < FEW_A_CLASS else ""


def _change(sides: Floats) -> Floats:
    """The last of (1 or 2, ...) values, less the first where there are two."""
    found: Floats = sides[0] if len(sides) == 1 else sides[1] - sides[0]
    return found


def _mean(drawn: Sums, n: int, how: str) -> Resampled:
    """The mean of one column."""
    return Resampled(float(drawn.observed[0]) / n, drawn.draws[:, 0] / n, how, _scarce(n))


def _scarce(n: int) -> str:
    """Why means over samples are approximate."""
    return f"{n} samples, fewer than {FEW_SAMPLES}" if n < FEW_SAMPLES else ""


def _gap(drawn: Sums, n: int, how: str) -> Resampled:
    """ECE: sum of absolute bin sums. A bin's bias depends on its true gap, which lies around the one seen."""
    sd = np.sqrt(np.maximum(np.diagonal(drawn.covariance), 0.0))
    gap = np.abs(drawn.observed)
    most = calibration.excess(np.maximum(gap - PLAUSIBLE * sd, 0.0), sd).sum() / n
    least = calibration.excess(gap + PLAUSIBLE * sd, sd).sum() / n
    return _bounded(float(gap.sum()) / n, np.abs(drawn.draws).sum(axis=1) / n, how, (least, most), n)


def _from_zero(found: Resampled, facts: Facts, name: str, draw: tuple[int, int]) -> Resampled:
    """An interval from 0 on unless the labels reject, at 5%, that confidences mean just what they say."""
    assert facts.confidences is not None
    index, resamples = BINNED[name](facts.confidences), min(draw[1], 2000)
    p = calibration.consistency(facts.confidences, facts.correct, index, resamples=resamples, seed=draw[0])
    if p <= LEVEL:
        return replace(found, method=f"{found.method}; perfect calibration rejected, p = {p:.2g}")
    how = f"{found.method}; lower end 0: perfect calibration not rejected, p = {p:.2g}"
    return replace(found, method=how, slack=(np.inf, found.slack[1]))


def _gap_change(drawn: Sums, n: int, how: str, seed: int) -> Resampled:
    """Change of ECE: the bias of each pair of bins is bounded over the gaps that their joint distribution leaves open.

    One bin in four lies further than PLAUSIBLE from a true gap of nought. So where all gaps of a side may be nought
    together, each of them may. As if one more answer had flipped each way: no change seen is not yet no change.
    """
    half = len(drawn.observed) // 2
    pairs = np.arange(half)[:, None] + np.array([0, half])
    centres, covariances = drawn.observed[pairs], drawn.covariance[pairs[:, :, None], pairs[:, None, :]]
    nought = [_at_nought(centres, covariances, side) for side in (0, 1) if _may_be_nought(centres, covariances, side)]
    points = np.concatenate([_around(centres, covariances), *nought], axis=1)
    bias = calibration.excess(points, np.sqrt(np.maximum(np.diagonal(drawn.covariance), 0.0))[pairs][:, None])
    shift = (bias[..., 1] - bias[..., 0]) / n
    size, seen = np.abs(drawn.draws), np.abs(drawn.observed)
    change = (size[:, half:].sum(axis=1) - size[:, :half].sum(axis=1)) / n
    change = change + np.random.default_rng(seed).normal(scale=np.sqrt(2) / n, size=len(change))
    bounds = float(shift.min(axis=1).sum()), float(shift.max(axis=1).sum())
    return _bounded(float(seen[half:].sum() - seen[:half].sum()) / n, change, how, bounds, n)


def _around(centres: Floats, covariances: Floats) -> Floats:
    """(B, P, 2) points of the ellipses of at most PLAUSIBLE standard errors about (B, 2) centres."""
    values, vectors = np.linalg.eigh(covariances)
    roots = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    angles, radii = np.linspace(0, 2 * np.pi, 24, endpoint=False), np.linspace(0, PLAUSIBLE, 5)
    disc = np.stack([np.outer(radii, np.cos(angles)), np.outer(radii, np.sin(angles))], axis=-1).reshape(-1, 2)
    found: Floats = centres[:, None, :] + np.einsum("bij,pj->bpi", roots, disc)
    return found


def _may_be_nought(centres: Floats, covariances: Floats, side: int) -> bool:
    """Whether a chi-square test over its bins leaves it open, at 5%, that all gaps of a side are nought."""
    from scipy.special import chdtrc

    variance = covariances[:, side, side]
    used = variance > 0
    return float(chdtrc(used.sum(), (centres[used, side] ** 2 / variance[used]).sum())) > LEVEL


def _at_nought(centres: Floats, covariances: Floats, side: int) -> Floats:
    """(B, 5, 2) points with a gap of nought on one side, and what that leaves open on the other."""
    variance, shared = covariances[:, side, side], covariances[:, 0, 1]
    slope = np.divide(shared, variance, out=np.zeros_like(shared), where=variance > 0)
    rest = np.sqrt(np.maximum(covariances[:, 1 - side, 1 - side] - slope * shared, 0.0))
    middle = centres[:, 1 - side] - slope * centres[:, side]
    found = np.zeros((len(centres), 5, 2))
    found[..., 1 - side] = middle[:, None] + np.linspace(-PLAUSIBLE, PLAUSIBLE, 5) * rest[:, None]
    return found


def _bounded(estimate: float, draws: Floats, how: str, bias: tuple[float, float], n: int) -> Resampled:
    """An interval whose lower end takes out the largest and whose upper end takes out the least plausible bias."""
    taken = float(draws.mean()) - estimate
    return Resampled(estimate, draws, how, _scarce(n), slack=(max(bias[1] - taken, 0.0), max(taken - bias[0], 0.0)))

"""The claims of "Scaling Laws in the Tiny Regime" (arXiv 2603.07365), each beside what a study found.

Which form of the law fits best is a statement of its authors' follow-up; it says so. docs/papers.md gives every band.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import inf, log, sqrt

from edgeval.compare.laws import law
from edgeval.measures.powerlaw import FEWEST
from edgeval.records.laws import Law, LawForm
from edgeval.records.papers import tiny_regime
from edgeval.records.study import Claim, PairRow, SizeRow, Standing

SCALECNN, MOBILENET = tiny_regime.LADDERS
ALPHA_BAND = 0.005  # what a reproduction must hit alpha by (PAPERS 1.5)
R2_BAND = 0.05  # by which the line may fit worse than the paper's
JACCARD, JACCARD_BAND = 0.35, 0.02
SEED_BAND = 3.0  # standard deviations over seeds
ECE_LEAST = 0.005  # a narrower band than this is not asked for
ENDS_BANDS = {"gini": 0.01, "bottom5": 0.03}  # of class accuracies averaged over five seeds
UNDECIDED = 2.0  # a smaller difference of AICc prefers neither form


@dataclass(frozen=True)
class Found:
    """What a study has of one ladder in torch: its rows by size, its law, and its error sets."""

    rows: Sequence[SizeRow]
    law: Law | None
    pairs: Sequence[PairRow]

    @property
    def whole(self) -> bool:
        """Whether this is the paper's protocol: every width, five seeds, its recipe."""
        published = {row.rung for row in tiny_regime.sizes() if self.rows and row.ladder == self.rows[0].ladder}
        same = all(
            row.protocol == tiny_regime.PROTOCOL and len(row.seeds) >= len(tiny_regime.SEEDS) for row in self.rows
        )
        return bool(self.rows) and same and {row.rung for row in self.rows} == published

    def beside(self) -> list[tuple[SizeRow, tiny_regime.PublishedSize]]:
        """Our rows with the paper's of the same rungs."""
        both = ((row, tiny_regime.size(row.ladder, row.rung)) for row in self.rows)
        return [(row, published) for row, published in both if published]


def claims(rows: Sequence[SizeRow], laws: Sequence[Law], pairs: Sequence[PairRow]) -> tuple[Claim, ...]:
    """Every claim, in the paper's order, where any of its ladders is there. rows: those of torch."""
    if not any(row.ladder in tiny_regime.LADDERS for row in rows):
        return ()
    found = {name: _found(name, rows, laws, pairs) for name in tiny_regime.LADDERS}
    made = (
        *(_alpha(name, found[name]) for name in tiny_regime.LADDERS),
        *(_saturation(name, found[name]) for name in tiny_regime.LADDERS),
        _overlap(found[SCALECNN]),
        _ends(found[SCALECNN], "ScaleCNN: small networks concentrate their errors in some classes (Gini)", "gini"),
        _ends(found[SCALECNN], "ScaleCNN: the worst classes of small networks are all but lost (bottom-5)", "bottom5"),
        _calibration(found[SCALECNN]),
        *(_form(name, found[name]) for name in tiny_regime.LADDERS),
    )
    return tuple(claim.model_copy(update={"number": number}) for number, claim in enumerate(made, start=1))


def _found(name: str, rows: Sequence[SizeRow], laws: Sequence[Law], pairs: Sequence[PairRow]) -> Found:
    mine = sorted((row for row in rows if row.ladder == name), key=lambda row: row.params)
    fitted = next((one for one in laws if one.name.startswith(f"{name},")), None)
    return Found(mine, fitted, [pair for pair in pairs if pair.one.startswith(f"{name}:")])


def _alpha(name: str, found: Found) -> Claim:
    """Error falls as a power law of size."""
    paper = _published_law(tuple(row for row in tiny_regime.sizes() if row.ladder == name))
    text = f"{_short(name)}: error falls as a power law of the number of parameters"
    stated = f"alpha {paper.alpha.value:.4f}, R2 {paper.r2:.3f} over {paper.n_points} widths"
    if found.law is None:
        return _unmeasured(text, stated, f"a law needs {FEWEST} sizes")
    ours = found.law.alpha
    note = ""
    if not found.whole and len(found.beside()) >= FEWEST:
        same = _published_law(tuple(published for _, published in found.beside()))
        note = f"the paper's own means at these {same.n_points} widths give {same.alpha.value:.4f}"
    near = abs(ours.value - paper.alpha.value) <= ALPHA_BAND and found.law.r2 >= paper.r2 - R2_BAND
    fit = f"R2 {found.law.r2:.3f} over {found.law.n_points} widths"
    said = f"alpha {ours.value:.4f} (standard error {ours.se:.4f}), {fit}"
    return _claim(text, stated, said, found, near, note, fitted=True)


def _saturation(name: str, found: Found) -> Claim:
    """The exponent between neighbouring widths falls with size."""
    local = _published_law(tuple(row for row in tiny_regime.sizes() if row.ladder == name)).local
    text = f"{_short(name)}: the gain from size shrinks as the network grows (exponent between neighbouring widths)"
    stated = f"{local[0].alpha:.3f} at the first step, {local[-1].alpha:.3f} at the last"
    if found.law is None or len(found.law.local) < 2:
        return _unmeasured(text, stated, "needs three neighbouring widths")
    ours = found.law.local
    near = ours[-1].alpha < ours[0].alpha and all(_step_near(found.beside()[at:][:2]) for at in (0, -2))
    steps = ", ".join(f"{step.alpha:.3f}" for step in ours)
    own = ", ".join(f"{step:.3f}" for step in _steps([published for _, published in found.beside()]))
    note = "" if found.whole else f"the paper's at these widths: {own}"
    return _claim(text, stated, steps, found, near, note, fitted=True)


def _step_near(ends: Sequence[tuple[SizeRow, tiny_regime.PublishedSize]]) -> bool:
    """Whether our exponent between two widths is the paper's, within what the seeds of all four networks leave open."""
    if len(ends) < 2:
        return False
    (one, first), (two, last) = ends
    ours = log((1 - one.top1.mean) / (1 - two.top1.mean))
    paper = log(first.error / last.error)
    spread = [
        sd / (error * sqrt(max(1, n - 1)))  # the standard error of a mean, from a deviation with ddof 0
        for row, published in ends
        for sd, error, n in (
            (row.top1.sd, 1 - row.top1.mean, row.top1.n),
            (published.top1_sd, published.error, len(tiny_regime.SEEDS)),
        )
    ]
    return abs(ours - paper) <= SEED_BAND * sqrt(sum(value**2 for value in spread))


def _overlap(found: Found) -> Claim:
    """Smallest and largest network make different errors."""
    text = "ScaleCNN: the smallest and the largest network err on different samples (Jaccard index of the errors)"
    stated = "0.35 ± 0.004 over 25 seed pairs, c = 4 against c = 64"
    pair = next((p for p in found.pairs if len(found.rows) > 1 and _joins(p, found.rows[0], found.rows[-1])), None)
    if pair is None:
        return _unmeasured(text, stated, "needs two widths")
    small, large = found.rows[0].rung, found.rows[-1].rung
    spread = f" ± {pair.jaccard.sd:.3f} over {pair.jaccard.n} seed pairs" if pair.jaccard.n > 1 else " (one seed)"
    said = f"{pair.jaccard.mean:.3f}{spread}, {small} against {large}; at most {pair.jaccard_max:.3f} possible"
    published = tiny_regime.overlap(SCALECNN, small, large)
    note = "" if found.whole or published is None else f"the paper's seed 0, {small} against {large}: {published:.3f}"
    floor = next((p.jaccard.mean for p in found.pairs if p.kind == "re-training" and p.one.endswith(f":{large}")), None)
    if floor is not None:
        note += f"{'; ' if note else ''}{large} against itself with another seed: {floor:.3f}"
    return _claim(text, stated, said, found, abs(pair.jaccard.mean - JACCARD) <= JACCARD_BAND, note)


def _ends(found: Found, text: str, metric: str) -> Claim:
    """A figure of the smallest and the largest ScaleCNN; those between are shown and decide nothing."""
    rows = [row for row in tiny_regime.sizes() if row.ladder == SCALECNN]
    stated = f"{getattr(rows[0], metric):.3f} at c = 4, {getattr(rows[-1], metric):.3f} at c = 64"
    if len(found.rows) < 2:
        return _unmeasured(text, stated, "needs two widths")
    said = ", ".join(f"{getattr(row, metric):.3f} at {row.rung}" for row in found.rows)
    both = [(getattr(row, metric), getattr(published, metric)) for row, published in found.beside()]
    ends = [both[0], both[-1]] if both else []
    order = [sorted(side) == list(side) for side in zip(*ends, strict=True)]
    near = all(abs(mine - theirs) <= ENDS_BANDS[metric] for mine, theirs in ends) and len(set(order)) == 1
    own = ", ".join(f"{getattr(published, metric):.3f}" for _, published in found.beside())
    return _claim(text, stated, said, found, near, "" if found.whole else f"the paper's at these widths: {own}")


def _calibration(found: Found) -> Claim:
    """The smallest network is the best calibrated."""
    text = "ScaleCNN: the smallest network is the best calibrated; ECE rises with size up to c = 32, then falls"
    rows = [row for row in tiny_regime.sizes() if row.ladder == SCALECNN]
    peak = max(rows, key=lambda row: row.ece)
    stated = f"ECE {rows[0].ece:.3f} at c = 4, {peak.ece:.3f} at c = {peak.rung[1:]}"
    if len(found.rows) < 2:
        return _unmeasured(text, stated, "needs two widths")
    ours = max(found.rows, key=lambda row: row.ece.mean)
    said = ", ".join(f"{row.ece.mean:.3f} at {row.rung}" for row in found.rows)
    within = [abs(row.ece.mean - p.ece) <= max(SEED_BAND * p.ece_sd, ECE_LEAST) for row, p in found.beside()]
    order = min(found.rows, key=lambda row: row.ece.mean) is found.rows[0] and ours.rung == peak.rung
    note = "" if found.whole else f"the paper's at these widths: {', '.join(f'{p.ece:.3f}' for _, p in found.beside())}"
    return _claim(text, stated, said, found, all(within) and order, note)


def _form(name: str, found: Found) -> Claim:
    """Which form of the law fits best; the paper's follow-up says so."""
    wanted, others = ("power", "broken") if name == SCALECNN else ("broken", "power")
    form = "plain" if wanted == "power" else wanted
    text = f"{_short(name)}, from the authors' follow-up: AICc prefers the {form} power law"
    stated = "-55.6 against -52.6 of the broken one" if name == SCALECNN else "-75.3 against -74.8 of the plain one"
    models = {form.name: form for form in found.law.models} if found.law else {}
    one, two = (models[form].aicc if form in models else None for form in (wanted, others))
    if one is None or two is None:
        return _unmeasured(text, stated, "AICc of the broken law needs seven sizes")
    note = _best(found.law.models if found.law else ())
    note += "; a difference below 2 prefers neither" * (abs(one - two) < UNDECIDED)
    return _claim(text, stated, f"{one:.1f} against {two:.1f}", found, one < two, note, fitted=True)


def _best(forms: Sequence[LawForm]) -> str:
    """What our AICc counts, and which form it likes best, with its parameters."""
    best = min(forms, key=lambda form: inf if form.aicc is None else form.aicc)
    values = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in best.parameters.items())
    counted = "here the variance of the residuals counts as a parameter, and the break may lie anywhere"
    return f"{counted}; best of all fits the {best.name} law, AICc {best.aicc:.1f}: {values}"


def _claim(text: str, paper: str, ours: str, found: Found, near: bool, note: str, *, fitted: bool = False) -> Claim:
    standing: Standing = "different protocol" if not found.whole else "confirmed" if near else "not confirmed"
    return Claim(number=0, text=text, paper=paper, ours=ours, standing=standing, fitted=fitted, note=note)


def _unmeasured(text: str, paper: str, why: str) -> Claim:
    return Claim(number=0, text=text, paper=paper, ours="", standing="not measured", note=why)


@cache
def _published_law(rows: tuple[tiny_regime.PublishedSize, ...]) -> Law:
    return law("published", {row.params: [row.error] for row in rows})


def _steps(rows: Sequence[tiny_regime.PublishedSize]) -> list[float]:
    """Exponents between neighbouring rows."""
    return [-log(b.error / a.error) / log(b.params / a.params) for a, b in pairwise(rows)]


def _joins(pair: PairRow, small: SizeRow, large: SizeRow) -> bool:
    return (pair.one, pair.other) == (f"{small.ladder}:{small.rung}", f"{large.ladder}:{large.rung}")


def _short(name: str) -> str:
    return "ScaleCNN" if name == SCALECNN else "MobileNetV2"

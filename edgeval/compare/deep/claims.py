"""What "Neural Scaling Laws for Deep Regression" (arXiv 2509.10000) states, beside what was found here."""

from __future__ import annotations

from collections.abc import Sequence

from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import BaselineRow, Check, Doubling, ErrorLaw, SizeErrors
from edgeval.records.study import Claim

STRAIGHT, STEEP = 0.95, 0.5  # R2 of a law, and the exponent of theta, that this study asks for (PAPERS 2.2)
OTHER_DATA = "images and protocol are not the paper's: this neither confirms nor refutes it"


def claims(rows: Sequence[SizeErrors], laws: Sequence[ErrorLaw], doublings: Sequence[Doubling]) -> tuple[Claim, ...]:
    """The paper's statements. Nothing here confirms or refutes them: images and protocol are not the paper's."""
    trained = [law for law in laws if law.format == TORCH]
    images = [law for law in trained if law.along == "images"]
    params = [law for law in trained if law.along == "parameters"]
    found = [
        ("The error falls as a power law of the number of training images", "over a wide range", _straight(images)),
        ("The exponents are 1 to 2", "1 to 2 by parameter and network; up to about 2.3", _exponents(images)),
        ("The error falls as a power law of the number of parameters", "over a wide range", _straight(params)),
        ("Laws hold for most parameters, with deviations for some", "most of three, in images", _deviations(images)),
        ("Clean laws need a learning rate that is tuned and adjusted", "tuned by size", _rates(rows)),
        ("More data pays strongly", "its guidance", _pays(doublings)),
    ]
    return tuple(
        Claim(
            number=k,
            text=text,
            paper=paper,
            ours=ours,
            standing="different protocol" if ours else "not measured",
            fitted=k in (1, 2, 3, 4),
            note=OTHER_DATA if ours else "",
        )
        for k, (text, paper, ours) in enumerate(found, 1)
    )


def checks(rows: Sequence[SizeErrors], laws: Sequence[ErrorLaw], baselines: Sequence[BaselineRow]) -> tuple[Check, ...]:
    """What keeps a trivial regressor out: the study's own conditions, each with what was seen."""
    images = [law for law in laws if law.format == TORCH and law.along == "images"]
    found = []
    if images:
        rising = [_name(law) for law in images if not law.falls]
        loose = [f"{_name(law)} {law.r2:.3f}" for law in images if law.r2 <= STRAIGHT]
        lowest = min(images, key=lambda law: law.r2)
        found += [
            Check(text="the error falls at every step in images", holds=not rising, seen=_list(rising) or "every law"),
            Check(
                text=f"R2 of each law in images is over {STRAIGHT}",
                holds=not loose,
                seen=_list(loose) or f"the least is {lowest.r2:.3f}, {_name(lowest)}",
            ),
        ]
        first = images[0].output
        slow = [f"{_name(law)} {law.exponent.value:.2f}" for law in images if law.output == first]
        steep = all(law.exponent.value > STEEP for law in images if law.output == first)
        found.append(Check(text=f"the exponent of {first} is over {STEEP}", holds=steep, seen=_list(slow)))
    return (*found, *_useful(rows, baselines))


def _useful(rows: Sequence[SizeErrors], baselines: Sequence[BaselineRow]) -> list[Check]:
    """Whether every network as trained, of every width and seed, beats the mean predictor."""
    # of an output that never changes the mean predictor knows all
    means = {(row.output, row.images): row.mean for row in baselines if row.mean > 0}
    shares = [
        (mse / means[one.output, row.images], f"{row.net} {row.rung}, seed {seed}, {one.output}")
        for row in rows
        for one in row.outputs
        for seed, mse in zip(row.seeds, one.mse_seeds, strict=True)
        if row.format == TORCH and (one.output, row.images) in means
    ]
    if not shares:
        return []
    worst = max(shares)
    seen = f"the largest share of its error is {worst[0]:.1%}, {worst[1]}"
    return [Check(text="every network beats the mean predictor", holds=worst[0] < 1, seen=seen)]


def _straight(laws: Sequence[ErrorLaw]) -> str:
    """How many laws are straight, and in what window."""
    if not laws:
        return ""
    good = [law for law in laws if law.falls and law.r2 > STRAIGHT]
    plain = [law for law in good if not law.bent]
    low, high = min(law.window[0] for law in laws), max(law.window[1] for law in laws)
    said = f"{len(good)} of {len(laws)} laws fall at every step with R2 over {STRAIGHT}, {low:,} to {high:,}"
    return said if len(plain) == len(good) else f"{said}; AICc prefers a bent form to {len(good) - len(plain)} of them"


def _exponents(laws: Sequence[ErrorLaw]) -> str:
    """Each exponent with the regression's interval."""
    told = []
    for law in laws:
        low, high = law.exponent.ci95
        told.append(f"{_name(law)} {law.exponent.value:.2f} ({low:.2f} to {high:.2f})")
    return "; ".join(told)


def _deviations(laws: Sequence[ErrorLaw]) -> str:
    """Which laws AICc takes for bent, do not fall, or have a low R2; with few sizes AICc has nothing to compare."""
    away = [_name(law) for law in laws if law.bent or law.r2 <= STRAIGHT or not law.falls]
    if not laws:
        return ""
    said = f"not plain laws: {', '.join(away)}" if away else "no law is shown to be bent: AICc prefers the plain one"
    blind = sum(sum(form.aicc is not None for form in law.forms) < 2 for law in laws)
    return f"{said}; {blind} of {len(laws)} laws have too few sizes for AICc to see a bend" if blind else said


def _rates(rows: Sequence[SizeErrors]) -> str:
    """The learning rates of each net."""
    trained = [row for row in rows if row.format == TORCH and row.rates]
    told = []
    for net in dict.fromkeys(row.net for row in trained):
        mine = sorted({rate for row in trained if row.net == net for rate in row.rates})
        told.append(f"{net} {', '.join(f'{rate:g}' for rate in mine)}")
    return f"learning rates: {'; '.join(told)}" if told else ""


def _pays(doublings: Sequence[Doubling]) -> str:
    """What twice the images do."""
    return "; ".join(
        f"{one.net} {one.output}: twice the images x {one.by_images:.2f}, twice the parameters x {one.by_params:.2f}"
        for one in doublings
    )


def _name(law: ErrorLaw) -> str:
    return f"{law.net} {law.output}" + (f" ({law.fixed})" if law.along == "parameters" else "")


def _list(words: Sequence[str]) -> str:
    return ", ".join(words)

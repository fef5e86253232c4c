"""What "Neural Scaling Laws for Deep Regression" (arXiv 2509.10000) states, beside what was found here."""

from __future__ import annotations

from collections.abc import Sequence

from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import BaselineRow, Check, Doubling, ErrorLaw, SizeErrors
from edgeval.records.study import Claim

STRAIGHT, STEEP = 0.95, 0.5  # R2 of a law, and the exponent of theta, that this study asks for (PAPERS 2.2)
OTHER_DATA = "our simulator and our choices where the paper could not be read: beside it for orientation"
NONE = "too few sizes for a law"


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


def checks(laws: Sequence[ErrorLaw], baselines: Sequence[BaselineRow]) -> tuple[Check, ...]:
    """What keeps a trivial regressor out: the study's own conditions, each with what was seen."""
    images = [law for law in laws if law.format == TORCH and law.along == "images"]
    found = []
    if images:
        rising = [_name(law) for law in images if not law.falls]
        bent = [f"{_name(law)} {law.r2:.3f}" for law in images if law.r2 <= STRAIGHT]
        lowest = min(images, key=lambda law: law.r2)
        found += [
            Check(text="the error falls at every step in images", holds=not rising, seen=_list(rising) or "every law"),
            Check(
                text=f"R2 of each law in images is over {STRAIGHT}",
                holds=not bent,
                seen=_list(bent) or f"the least is {lowest.r2:.3f}, {_name(lowest)}",
            ),
        ]
        first = images[0].output
        slow = [f"{_name(law)} {law.exponent.value:.2f}" for law in images if law.output == first]
        steep = all(law.exponent.value > STEEP for law in images if law.output == first)
        found.append(Check(text=f"the exponent of {first} is over {STEEP}", holds=steep, seen=_list(slow)))
    shares = [
        (mse / row.mean, f"{net} at {row.images:,}, {row.output}") for row in baselines for net, mse in row.nets.items()
    ]
    if shares:
        worst = max(shares)
        seen = f"the largest share of its error is {worst[0]:.1%}, {worst[1]}"
        found.append(Check(text="every network beats the mean predictor", holds=worst[0] < 1, seen=seen))
    return tuple(found)


def _straight(laws: Sequence[ErrorLaw]) -> str:
    """How many laws are straight."""
    good = [law for law in laws if law.falls and law.r2 > STRAIGHT]
    if not laws:
        return ""
    low, high = min(law.window[0] for law in laws), max(law.window[1] for law in laws)
    return f"{len(good)} of {len(laws)} laws fall at every step with R2 over {STRAIGHT}, {low:,} to {high:,}"


def _exponents(laws: Sequence[ErrorLaw]) -> str:
    """Each exponent with the regression's interval."""
    told = []
    for law in laws:
        low, high = law.exponent.ci95
        told.append(f"{_name(law)} {law.exponent.value:.2f} ({low:.2f} to {high:.2f})")
    return "; ".join(told)


def _deviations(laws: Sequence[ErrorLaw]) -> str:
    bent = [_name(law) for law in laws if law.floor is not None or law.r2 <= STRAIGHT or not law.falls]
    return "" if not laws else (f"bent: {', '.join(bent)}" if bent else "none is bent: AICc prefers no floor")


def _rates(rows: Sequence[SizeErrors]) -> str:
    """Which rates were picked on validation."""
    trained = [row for row in rows if row.format == TORCH and row.rates]
    told = []
    for net in dict.fromkeys(row.net for row in trained):
        mine = sorted({rate for row in trained if row.net == net for rate in row.rates})
        told.append(f"{net} {', '.join(f'{rate:g}' for rate in mine)}")
    return f"rates picked on validation: {'; '.join(told)}" if told else ""


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

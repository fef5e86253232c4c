"""A study of regressors on a terminal: claims, exponents, who wins, where int8 stops the law, and where the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import Along, Check, DeepRegression, ErrorLaw, QuantisationFloor
from edgeval.records.study import Claim
from edgeval.report import wording
from edgeval.report.claims import wrapped
from edgeval.report.deep.baselines import winner_sentences
from edgeval.report.deep.budget import answer_sentence
from edgeval.report.deep.floor import stop_words, where_words
from edgeval.report.deep.laws import change_sentences
from edgeval.report.deep.units import unit_sentences
from edgeval.report.deep.whole import deep_summary
from edgeval.report.deep.wording import PAPER, between, exponent, number
from edgeval.report.text import ASCII

NOTES = 3
LONGEST = 150  # characters of what was found; the report has all of it
COLUMNS, FIRST, CELL = 3, 11, 22
MEANS = str.maketrans({"β": "beta", "γ": "gamma"})


def render_deep_text(found: DeepRegression, page: Path | None) -> str:
    """Plain text within 80 columns."""
    lines = [*wrapped(deep_summary(found)), ""]
    lines += _claims(found.claims)
    lines += ["", "The study's own conditions"] if found.checks else []
    lines += [line for check in found.checks for line in _check(check)]
    lines += [*_laws(found, "images"), *_laws(found, "parameters")]
    lines += _part("Root mean square errors as trained, at the largest size", unit_sentences(found))
    lines += _part("Beside kernel ridge and the mean predictor", winner_sentences(found))
    lines += _part("More images or a larger net?", [answer_sentence(found)] if found.doublings else [])
    lines += _part("What deployment takes from the exponents, each with its 95%", change_sentences(found))
    lines += _floors(found)
    lines += [line for note in found.notes[:NOTES] for line in wrapped(f"Note: {note}", "", "  ")]
    if len(found.notes) > NOTES:
        lines.append(f"{len(found.notes) - NOTES} more in the report")
    if page is not None:
        lines += ["", f"report: {wording.visible(str(page))}"]
    return "\n".join(lines).translate(MEANS).translate(ASCII)


def _claims(claims: Sequence[Claim]) -> Iterator[str]:
    """What is claimed, and how what was found stands to it; a remark on all of them is made once."""
    remarks = {claim.note for claim in claims if claim.ours}
    same = remarks.pop() if len(remarks) == 1 else ""
    for claim in claims:
        yield from wrapped(f"{claim.number}. {wording.clean(claim.text, 200)} (the paper: {claim.paper})", "", "   ")
        here = f": {wording.clean(claim.ours, LONGEST)}" if claim.ours else ""
        note = f" ({claim.note})" if claim.note and claim.note != same else ""
        yield from wrapped(f"{claim.standing.upper()}{here}{note}", "   ")
    if same:
        yield from wrapped(f"All of these: {same}")


def _check(check: Check) -> list[str]:
    """One of the study's own conditions."""
    return wrapped(f"{'holds' if check.holds else 'DOES NOT HOLD'}: {check.text} ({check.seen})", "  ", "    ")


def _laws(found: DeepRegression, along: Along) -> list[str]:
    """A line a network, a column an output: exponents as trained, with the regression's interval."""
    mine = [law for law in found.laws if law.along == along and law.format == TORCH]
    if not mine:
        return []
    paper = f"; the paper: {PAPER}" if along == "images" else ""
    doubt = "; ~ AICc prefers a bent form, so that this is a mean" if any(map(_bent, mine)) else ""
    doubt += "" if all(law.falls for law in mine) else "; * does not fall at every step"
    lines = ["", *wrapped(f"Exponents of MSE along {along} with 95% of the regression{paper}{doubt}", "", "  ")]
    rows = dict.fromkeys((law.net, law.fixed) for law in mine)
    for start in range(0, len(found.outputs), COLUMNS):
        shown = found.outputs[start : start + COLUMNS]
        lines.append(f"  {'':<{FIRST}}" + "".join(f"{_short(name, CELL - 1):<{CELL}}" for name in shown).rstrip())
        for net, fixed in rows:
            held = f" {fixed}" if sum(net == other for other, _ in rows) > 1 else ""
            there = [_cell([law for law in mine if (law.net, law.fixed) == (net, fixed)], name) for name in shown]
            name = _short(net + held, FIRST - 1)
            lines.append(f"  {name:<{FIRST}}" + "".join(f"{cell:<{CELL}}" for cell in there).rstrip())
    return lines


def _cell(laws: Sequence[ErrorLaw], name: str) -> str:
    """The exponent of one output."""
    law = next((law for law in laws if law.output == name), None)
    if law is None:
        return wording.DASH
    return exponent(law.exponent) + (" ~" if _bent(law) else "" if law.falls else " *")


def _bent(law: ErrorLaw) -> bool:
    return law.falls and law.bent


def _short(name: str, most: int) -> str:
    """A name that fits into a column."""
    return wording.clean(name, most).translate(ASCII)[:most]


def _part(title: str, sentences: Sequence[str]) -> list[str]:
    """A heading and what is said below it; nothing where nothing is said."""
    if not sentences:
        return []
    return ["", title, *(line for said in sentences for line in wrapped(said, "  ", "    "))]


def _floors(found: DeepRegression) -> list[str]:
    """A line a network and output: where each format stops the law along images, or along parameters alone."""
    along = "images" if any(floor.along == "images" for floor in found.floors) else "parameters"
    mine = [floor for floor in found.floors if floor.along == along]
    keys = dict.fromkeys((floor.net, floor.output, floor.fixed) for floor in mine)
    said = [_floor(found, [one for one in mine if (one.net, one.output, one.fixed) == key]) for key in keys]
    return [*_part(f"Where quantisation stops the law along {along}, with 95%", said), ""]


def _floor(found: DeepRegression, floors: Sequence[QuantisationFloor]) -> str:
    """'fcn, theta: stops at 2,700 in int8 TFLite (900 to 3,500; exponent 1.21 before it), ...; as trained 1.43'."""
    name = f"{wording.clean(floors[0].net, 20)}, {wording.clean(floors[0].output, 20)}"
    if all(one.side == "after" for one in floors):
        last = f"{wording.count(floors[0].points[-1][0])} {floors[0].along}"
        return f"{name}: it goes on up to {last}; {_spread(floors)}, as trained {number(floors[0].trained.value)}"
    parts: dict[tuple[str, str], list[str]] = {}
    for one in floors:
        parts.setdefault((stop_words(one), _beside(one)), []).append(wording.clean(where_words(found, one), 50))
    said = [f"{words} in {' and '.join(where)}{beside}" for (words, beside), where in parts.items()]
    return f"{name}: {', '.join(said)}; as trained {number(floors[0].trained.value)}"


def _beside(floor: QuantisationFloor) -> str:
    """' (900 to 3,500; exponent 1.21 before it)', as far as these are known."""
    if floor.side != "within":
        return ""
    told = [] if floor.undecided is None else [between(floor.undecided)]
    told += [] if floor.before is None else [f"exponent {number(floor.before.value)} before it"]
    return f" ({'; '.join(told)})" if told else ""


def _spread(floors: Sequence[QuantisationFloor]) -> str:
    """The exponents over the whole window."""
    values = [number(one.whole.value) for one in sorted(floors, key=lambda one: one.whole.value)]
    return f"exponent {values[0]}" + (f" to {values[-1]}" if values[-1] != values[0] else "")

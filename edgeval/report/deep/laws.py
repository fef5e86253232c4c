"""The laws of a study of regressors as tables: exponents with intervals, as trained and as deployed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeval.records.artifact import TORCH
from edgeval.records.deep_regression import Along, DeepRegression, ErrorLaw, ExponentChange
from edgeval.report import wording
from edgeval.report.blocks import Block, Heading, Table, Text, known_columns
from edgeval.report.deep.wording import PAPER, along_words, ends, error, exponent, number, place_words, places

LAW = (
    "MSE = c N^-exponent, least squares of logarithms of geometric means over seeds. 95% is the regression's: how far"
    " the sizes lie off a straight line; where another form is best, the exponent is a mean over the window. Seeds and"
    " test images, at 95% too: what training again on the same training images, and other test images, would do to the"
    " exponent, by t from the variances over each size's seeds and over the test images; blind to what other training"
    " images would do, and to a bend. Each interval is at 95% by itself: one in twenty misses. Best by AICc, with its"
    " lead over the next form: a dash where too few sizes leave the plain law no rival. A floor, with the exponent"
    " above it, where AICc prefers one."
)
SIZES: dict[Along, str] = {"images": "training images", "parameters": "parameters"}
NOTICED = 5e-3  # of an exponent: two digits are shown
HEAD = (
    "Net",
    "Output",
    "Held",
    "Exponent",
    "95%",
    "Seeds and test images",
    "The paper",
    "R2",
    "Falls throughout",
    "Window",
    "Sizes",
    "Best by AICc",
    "Floor",
)


def law_blocks(found: DeepRegression) -> Iterator[Block]:
    """The laws as trained, along images and along parameters."""
    laws = [law for law in found.laws if law.format == TORCH]
    if not laws:
        return
    yield Heading("Laws of error against size")
    yield Text(LAW)
    for along, words in SIZES.items():
        mine = [law for law in laws if law.along == along]
        if mine:
            body = tuple(_law(law) for law in mine)
            yield known_columns(Table(HEAD, body, f"Along {words}", words=3))


def _law(law: ErrorLaw) -> tuple[str, ...]:
    over, (first, last) = law.exponent.over_seeds, law.window
    return (
        law.net,
        law.output,
        law.fixed or wording.DASH,
        number(law.exponent.value),
        ends(law.exponent.ci95),
        ends(over.ci95) if over else wording.DASH,
        PAPER if law.along == "images" else wording.DASH,
        number(law.r2, 3),
        "yes" if law.falls else "NO",
        f"{wording.count(first)} to {wording.count(last)}",
        str(len(law.points)),
        _best(law),
        _floor(law),
    )


def _best(law: ErrorLaw) -> str:
    """'saturating (by 4.2)': the form that AICc prefers; alone, an AICc says nothing."""
    told = [(form.name, form.aicc) for form in law.forms if form.aicc is not None]
    if len(told) < 2:
        return wording.DASH
    return f"{told[0][0]} (by {number(told[1][1] - told[0][1], 1)})"


def _floor(law: ErrorLaw) -> str:
    """'2.88e-5, 1.71 above it'."""
    above = next((form.parameters.get("alpha") for form in law.forms if form.name == "saturating"), None)
    if law.floor is None or above is None:
        return error(law.floor)
    return f"{error(law.floor)}, {number(above)} above it"


def deployed_law_blocks(found: DeepRegression) -> Iterator[Block]:
    """The exponents side by side, a column a place."""
    there = [place for place in places(found) if any((law.format, law.target) == place for law in found.laws)]
    if not there:
        return
    yield Heading("Laws as deployed", 3)
    for said in change_sentences(found):
        yield Text(said)
    shown = [("torch", ""), *there]
    rows = dict.fromkeys((law.net, law.output, law.along, law.fixed) for law in found.laws)
    body = tuple((*_words(key), *(_cell(found.laws, key, place) for place in shown)) for key in rows)
    head = ("Net", "Output", "Along", "Held", "As trained", *(place_words(found, place) for place in there))
    caption = (
        "Exponents over the whole window: as trained with the regression's 95% interval, as deployed with the change"
        " from the same networks as trained and its interval, or with the regression's where a size has one seed;"
        " each interval at 95% by itself"
    )
    if any(" *" in cell for row in body for cell in row[4:]):
        caption += "; * not of the same sizes and seeds as trained"
    yield known_columns(Table(head, body, caption, words=4))


def change_sentences(found: DeepRegression) -> list[str]:
    """What deployment takes from the exponents, paired by seed and test image: a sentence for a network and all places
    that say the same."""
    laws = [law for law in found.laws if law.change is not None]
    told: dict[tuple[str, str], list[str]] = {}
    for net, along, fixed, *place in dict.fromkeys((*_series(law), law.format, law.target) for law in laws):
        there = [law for law in laws if (*_series(law), law.format, law.target) == (net, along, fixed, *place)]
        said = _changes([law for law in there if not _still(law)])
        where = told.setdefault((f"{wording.clean(net, 30)} {along_words(along, fixed)}", said), [])
        where.append(place_words(found, (place[0], place[1])))
    return [f"{series}, in {' and '.join(where)} {said}." for (series, said), where in told.items() if said]


def _series(law: ErrorLaw) -> tuple[str, Along, str]:
    return law.net, law.along, law.fixed


def _changes(laws: Sequence[ErrorLaw]) -> str:
    """'the exponents change: theta by −0.32 (−0.39 to −0.25)', and those that may not."""
    sure = [f"{wording.clean(law.output, 30)} by {change(law.change)}" for law in laws if _sure(law)]
    unsure = [f"{wording.clean(law.output, 30)} {change(law.change)}" for law in laws if not _sure(law)]
    parts = [f"the exponents change: {', '.join(sure)}"] if sure else []
    parts += [f"cannot be told from no change: {', '.join(unsure)}"] if unsure else []
    return "; ".join(parts)


def _sure(law: ErrorLaw) -> bool:
    """Whether the interval of the change does not hold 0."""
    return law.change is not None and not law.change.ci95[0] <= 0 <= law.change.ci95[1]


def _still(law: ErrorLaw) -> bool:
    """Whether the exponent and both ends of the interval are as trained, as shown."""
    return law.change is None or max(abs(law.change.value), *map(abs, law.change.ci95)) < NOTICED


def change(found: ExponentChange | None) -> str:
    """'−0.32 (−0.39 to −0.25)'."""
    return wording.DASH if found is None else f"{number(found.value)} ({ends(found.ci95)})"


def _words(key: tuple[str, str, Along, str]) -> tuple[str, ...]:
    net, output, along, fixed = key
    return net, output, along, fixed or wording.DASH


def _cell(laws: Sequence[ErrorLaw], key: tuple[str, str, Along, str], place: tuple[str, str]) -> str:
    """The exponent of one law in one place, with a * where it is not fitted to what the law as trained is."""
    mine = [law for law in laws if (law.net, law.output, law.along, law.fixed) == key]
    trained = next((law for law in mine if law.format == TORCH), None)
    law = trained if place[0] == TORCH else next((law for law in mine if (law.format, law.target) == place), None)
    if law is None:
        return wording.DASH
    star = "" if trained is None or _sizes(law) == _sizes(trained) else " *"
    if law.change is None:
        return exponent(law.exponent) + star
    return f"{number(law.exponent.value)}{star}, {change(law.change)}"


def _sizes(law: ErrorLaw) -> list[tuple[int, int]]:
    """Each size with its number of seeds."""
    return [(point.size, point.seeds) for point in law.points]

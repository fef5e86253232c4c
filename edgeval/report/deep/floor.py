"""Where quantisation stops a law, in sentences and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from edgeval.measures.mselaw import geometric_mean
from edgeval.records.deep_regression import DeepRegression, QuantisationFloor
from edgeval.report import wording
from edgeval.report.blocks import Block, Heading, Table, Text, known_columns
from edgeval.report.deep.wording import along_words, between, ends, error, exponent, number, place_words, rounded

FLAT = 1.5  # beyond the stop, errors within this factor are one level
SPAN = 2.0  # of sizes beyond the stop: over less an error may look level whatever the law does
Fate = Literal["stops", "bends", "stops or bends"]  # the last where too few sizes lie beyond to tell
WORDS = (
    "Quantisation moves every answer a little: that noise is a mean square too. Where it equals the error as trained,"
    " and is unrelated to it, the error as deployed is about twice that, and what training still gains is lost in it;"
    " where noise and error cancel in part, the error as deployed is less than their sum. Where the noise falls with"
    " size too, so that the error as deployed falls at more than half the exponent as trained, the law is bent there"
    " and goes on; where the sizes beyond span less than a factor of two, it cannot be told which. The size where noise"
    " and error are equal is read off straight lines between sizes. Its interval holds the sizes at which, on these"
    " lines, both cannot be told apart at 95% by seeds and test images: a little too wide, and blind to what happens"
    " between sizes; where it reaches the end of the window, the two may not meet within it. Intervals of exponents are"
    " the regression's at 95%."
)


def floor_blocks(found: DeepRegression) -> Iterator[Block]:
    """Nothing where nothing was quantised."""
    if not found.floors:
        return
    yield Heading("Where quantisation stops the law")
    yield Text(WORDS)
    for net, along, fixed in dict.fromkeys((one.net, one.along, one.fixed) for one in found.floors):
        yield Heading(f"{net}, {along_words(along, fixed)}", 3)
        mine = [one for one in found.floors if (one.net, one.along, one.fixed) == (net, along, fixed)]
        for name in dict.fromkeys(one.output for one in mine):
            said = [floor_sentence(found, one) for one in mine if one.output == name]
            yield Text(f"{name}: {' '.join(said)}")
    yield _table(found)


def floor_sentence(found: DeepRegression, floor: QuantisationFloor) -> str:
    """Where the law stops, what lies beyond, and the exponent before it."""
    where = wording.clean(where_words(found, floor), 60)
    parts = {"within": _within, "before": _before, "after": _after}[floor.side](floor)
    return f"{where} {parts}."


def _within(floor: QuantisationFloor) -> str:
    """It stops inside of the window."""
    at = f"at about {rounded(floor.stops)} {floor.along}" if floor.stops is not None else "within the window"
    does = {"bends": "bends but does not stop the law"}.get(kind := fate(floor), f"{kind} the law")
    if floor.undecided is not None:
        at += f" (95% {between(floor.undecided)})"
    return f"{does} {at}: beyond it {_level(floor)}; {_exponents(floor)}{_grid(floor)}"


def fate(floor: QuantisationFloor) -> Fate:
    """Bends where the error as deployed still falls at more than half the exponent as trained where the noise leads."""
    if floor.side == "before":
        return "bends" if floor.whole.value > floor.trained.value / 2 > 0 else "stops"
    beyond = _beyond(floor)
    if len(beyond) < 2 or beyond[-1][0] < SPAN * beyond[0][0] or min(beyond[0][3], beyond[-1][3]) <= 0:
        return "stops or bends"
    trained, deployed = (np.log(beyond[0][k] / beyond[-1][k]) for k in (1, 3))
    return "bends" if deployed > trained / 2 > 0 else "stops"


def _beyond(floor: QuantisationFloor) -> list[tuple[int, float, float, float]]:
    """The sizes from the stop on."""
    return [point for point in floor.points if floor.stops is None or point[0] >= floor.stops]


def _level(floor: QuantisationFloor) -> str:
    """What the error as deployed does beyond the stop."""
    beyond = _beyond(floor)
    errors = [point[3] for point in beyond if point[3] > 0]
    if not errors:
        return "nothing was measured"
    last = f"{wording.count(beyond[-1][0])} {floor.along}"
    if len(errors) == 1:
        return f"the error is {error(errors[0], 2)} at {last}, where it is {error(beyond[-1][1], 2)} as trained"
    if max(errors) <= FLAT * min(errors) and fate(floor) == "stops":
        whatever = "trained on" if floor.along == "images" else "the size of the net"
        return f"the error stays near {error(geometric_mean(np.array(errors)), 2)} whatever is {whatever}"
    trained = f"as trained from {error(beyond[0][1], 2)} to {error(beyond[-1][1], 2)}"
    return f"the error goes from {error(errors[0], 2)} to {error(errors[-1], 2)} at {last}, {trained}"


def _exponents(floor: QuantisationFloor) -> str:
    """Before the stop, over the whole window, and as trained."""
    before = "too few sizes lie before it for an exponent"
    if floor.before is not None:
        before = f"before it the exponent is {exponent(floor.before)}"
    return f"{before}, over the whole window {exponent(floor.whole)}, as trained {exponent(floor.trained)}"


def _before(floor: QuantisationFloor) -> str:
    """The noise is the larger everywhere."""
    first, last = floor.points[0], floor.points[-1]
    does = "bends but does not stop" if fate(floor) == "bends" else "has stopped"
    return (
        f"{does} the law before {wording.count(first[0])} {floor.along}: its noise exceeds the error as trained at"
        f" every size, and at {wording.count(last[0])} {floor.along} the error is {error(last[3], 2)}, where it is"
        f" {error(last[1], 2)} as trained; {_both(floor)}{_grid(floor)}"
    )


def _after(floor: QuantisationFloor) -> str:
    """The law goes on to the end of the window."""
    size, trained, noise, _ = floor.points[-1]
    meet = (
        "and by straight lines through both it never gets there"
        if floor.beyond is None
        else f"and by straight lines through both it would get there at about {rounded(floor.beyond)}"
    )
    return (
        f"does not stop the law up to {wording.count(size)} {floor.along}: there its noise is"
        f" {_share(noise, trained)} of the error as trained, {meet}; {_both(floor)}"
    )


def _both(floor: QuantisationFloor) -> str:
    """Over the whole window."""
    return f"the exponent is {exponent(floor.whole)}, as trained {exponent(floor.trained)}"


def _share(part: float, whole: float) -> str:
    """'12%', '0.3%'."""
    share = 100 * part / whole if whole > 0 else 0.0
    return f"{share:.0f}%" if share >= 9.5 else f"{share:.2g}%"


def _grid(floor: QuantisationFloor) -> str:
    """How much of the noise is the rounding of the output itself."""
    if floor.grid is None or floor.grid_share is None:
        return ""
    return f"; rounding the output to its grid makes {_share(floor.grid_share, 1.0)} of the noise"


def where_words(found: DeepRegression, floor: QuantisationFloor) -> str:
    """'int8 TFLite on rpi4 (1 seed)': with the number of seeds where another place of the same law has more."""
    words = place_words(found, (floor.format, floor.target))
    most = max((one.seeds for one in found.floors if (one.net, one.along) == (floor.net, floor.along)), default=0)
    return words + (f" ({floor.seeds} seed{'s' * (floor.seeds != 1)})" if floor.seeds < most else "")


def stop_words(floor: QuantisationFloor) -> str:
    """In a few words: 'stops at 2,700', 'bent at 2,700', 'stops or bends at 2,700', 'stopped before 250', 'goes on'."""
    if floor.side == "within" and floor.stops is not None:
        return f"{'bent' if (kind := fate(floor)) == 'bends' else kind} at {rounded(floor.stops)}"
    before = "bent" if fate(floor) == "bends" else "stopped"
    return f"{before} before {wording.count(floor.points[0][0])}" if floor.side == "before" else "goes on"


def meet_words(floor: QuantisationFloor) -> str:
    """Where the noise equals the error, for a legend: 'equal at 2,700', 'equal before 250', 'goes on'."""
    if floor.side == "within" and floor.stops is not None:
        return f"equal at {rounded(floor.stops)}"
    return f"equal before {wording.count(floor.points[0][0])}" if floor.side == "before" else "goes on"


def _table(found: DeepRegression) -> Table:
    """All of them side by side."""
    body = tuple(_row(found, floor) for floor in found.floors)
    head: tuple[str, ...] = ("Net", "Output", "Along", "Where", "Law", "Equal at, 95%", "Would meet at")
    head += ("Before", "95%")
    head += ("Whole window", "95%", "As trained", "95%", "Noise at the end", "Step^2 / 12", "Of the noise")
    caption = (
        "Equal at, 95%: the sizes at which noise and error as trained may be equal; exponents before the stop, over the"
        " whole window, and as trained"
    )
    return known_columns(Table(head, body, caption, words=5))


def _row(found: DeepRegression, floor: QuantisationFloor) -> tuple[str, ...]:
    cells: list[str] = []
    for one in (floor.before if floor.side == "within" else None, floor.whole, floor.trained):
        cells += [wording.DASH, wording.DASH] if one is None else [number(one.value), ends(one.ci95)]
    return (
        floor.net,
        floor.output,
        floor.along,
        where_words(found, floor),
        stop_words(floor),
        wording.DASH if floor.undecided is None else between(floor.undecided),
        wording.DASH if floor.beyond is None else rounded(floor.beyond),
        *cells,
        error(floor.points[-1][2]),
        error(floor.grid),
        wording.DASH if floor.grid_share is None else _share(floor.grid_share, 1.0),
    )

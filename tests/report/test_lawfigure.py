"""The picture of laws: what stands in it, that labels keep apart, and that it can stand alone."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from edgeval.compare.laws import law
from edgeval.records.laws import Law
from edgeval.report.lawfigure import Curve, Mark, apart, law_figure, standalone, ticks_of
from edgeval.report.svg import GAINED, VARIABLES


def made(alpha: float, *, seeds: int = 3, evil: str = "") -> Law:
    """A law over four sizes."""
    rng = np.random.default_rng(0)
    errors = {n: list(3 * n**-alpha * rng.uniform(0.95, 1.05, seeds)) for n in (20_000, 80_000, 175_000, 307_000)}
    return law("law", errors, names={n: f"c{k}{evil}" for k, n in enumerate(errors)})


def test_every_law_is_named_beside_its_line_and_no_id_or_colour_leaks() -> None:
    curves = [Curve("net", made(0.2)), Curve("net int8", made(0.19), Mark(GAINED, "D", True))]
    svg = law_figure(curves, prefix="k")
    root = ET.fromstring(svg)  # noqa: S314  drawn here
    said = [element.text for element in root.iter() if element.text]
    assert {"net", "net int8", "c0", "parameters", "top-1 error, %", "local exponent"} <= set(said)
    assert not any(color in svg for color in VARIABLES)
    assert all(element.get("id", "k-").startswith("k-") for element in root.iter())
    assert svg == law_figure(curves, prefix="k")


def test_names_cannot_be_markup() -> None:
    svg = law_figure([Curve("<b>&", made(0.2, evil="<i>"))], prefix="k")
    assert "<b>" not in svg
    assert "<i>" not in svg


def test_a_picture_alone_is_a_file_with_its_own_colours() -> None:
    root = ET.fromstring(standalone(law_figure([Curve("", made(0.2, seeds=1))], prefix="k")))  # noqa: S314  drawn here
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    style = root[0].text or ""
    assert "--ink" in style
    assert "prefers-color-scheme: dark" in style


@pytest.mark.parametrize("seed", range(20))
def test_labels_keep_apart_in_their_order_and_inside(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 280, rng.integers(1, 8)).tolist()
    moved = apart(places, 30, 280)
    assert np.argsort(moved).tolist() == np.argsort(places).tolist()
    assert np.diff(sorted(moved)).min(initial=30) >= 30 - 1e-9
    assert min(moved) >= 15 - 1e-9
    assert max(moved) <= 265 + 1e-9


def test_labels_with_room_stay_where_they_are() -> None:
    assert apart([50, 100, 200], 30, 280) == [50, 100, 200]


@pytest.mark.parametrize(("low", "high"), [(0.2, 0.21), (1.0, 100.0), (21.0, 29.0), (2e4, 2e7)])
def test_an_axis_has_round_ticks_and_never_none(low: float, high: float) -> None:
    found = ticks_of(low, high, 7)
    assert 1 <= len(found) <= 7
    assert all(low * 0.97 <= tick <= high * 1.03 for tick in found)


def test_a_long_name_takes_two_lines_instead_of_leaving_the_picture() -> None:
    svg = law_figure([Curve("int8 desktop-reference", made(0.2))], prefix="k")
    said = [element.text for element in ET.fromstring(svg).iter() if element.text]  # noqa: S314  drawn here
    assert {"int8 desktop-", "reference"} <= set(said)

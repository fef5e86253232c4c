"""The pictures of a study of regressors: what is drawn, that nothing overlaps, and that names cannot be markup."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from edgeval.records.deep_regression import DeepRegression
from edgeval.report.deep.figure import deployed_panels, law_panels
from edgeval.report.deep.panels import sheet, single_panels
from edgeval.report.lawfigure import standalone
from edgeval.report.svg import VARIABLES
from tests.report.browser import BINARY, Browser
from tests.report.deep import OUTPUTS, PLACES, deep
from tests.report.hostile import EVIL

BOXES = """[...document.querySelectorAll("text")].map(t => t.getBoundingClientRect()).map(
  r => [r.left, r.top, r.right, r.bottom])"""


@pytest.fixture(scope="module")
def found() -> DeepRegression:
    return deep()


def words(svg: str) -> list[str]:
    return [e.text for e in ET.fromstring(svg).iter() if e.text]  # noqa: S314  drawn here


def test_a_panel_an_output_with_every_net_and_both_baselines(found: DeepRegression) -> None:
    panels = law_panels(found, "images")
    assert [panel.title for panel in panels] == [f"MSE of {name}" for name in OUTPUTS]
    assert [[rule.name for rule in panel.rules] for panel in panels] == [["kernel ridge", "mean predictor"]] * 3
    first = found.laws[0]
    assert panels[0].series[0].name == f"fcn, β {first.exponent.value:.2f}"
    assert panels[0].series[0].spread == tuple((point.low, point.high) for point in first.points)


def test_baselines_are_level_at_the_number_of_images_that_is_held(found: DeepRegression) -> None:
    ridge = law_panels(found, "parameters")[0].rules[0]
    held = next(row for row in found.baselines if row.output == "theta" and row.images == 4000)
    assert [mse for _, mse in ridge.points] == [held.ridge] * 2


def test_the_cross_lies_where_noise_meets_the_error_as_trained(found: DeepRegression) -> None:
    panel = deployed_panels(found)[0]
    assert panel.title == "fcn: MSE of theta"
    assert [one.name for one in panel.series[1:]] == [
        "int8 TFLite, equal at 2,700",
        "int8 ONNX, equal at 6,200",
    ]
    floor = next(one for one in found.floors if one.format == "tflite-int8")
    assert panel.stops[0].at[0] == floor.stops
    assert min(p[2] for p in floor.points) <= panel.stops[0].at[1] <= max(p[2] for p in floor.points)


def test_a_second_target_of_a_format_is_not_drawn() -> None:
    panel = deployed_panels(deep(("fcn",), ("theta",), (*PLACES, ("tflite-int8", "pi4"))))[0]
    assert len(panel.series) == 3


def test_single_panels_share_their_axes_and_leak_neither_id_nor_colour(found: DeepRegression) -> None:
    svgs = single_panels(law_panels(found, "images"), prefix="k")
    ticks = [[word for word in words(svg) if word.startswith("1e")] for svg in svgs]
    assert ticks[0] == ticks[1] == ticks[2] != []
    for number, svg in enumerate(svgs):
        ids = [e.get("id", f"k{number}-") for e in ET.fromstring(svg).iter()]  # noqa: S314  drawn here
        assert all(name.startswith(f"k{number}-") for name in ids)
        assert not any(color in svg for color in VARIABLES)


def test_nothing_deployed_and_no_law_draw_nothing() -> None:
    bare = deep(("fcn",), ("theta",), PLACES[:1]).model_copy(update={"laws": ()})
    assert law_panels(bare, "images") == law_panels(bare, "parameters") == deployed_panels(bare) == ()


def test_noise_of_zero_and_no_grid_are_left_out(found: DeepRegression) -> None:
    floor = found.floors[0]
    still = tuple((n, trained, 0.0, mse) for n, trained, _, mse in floor.points)
    one = floor.model_copy(update={"points": still, "grid": None, "stops": None, "side": "after", "step": None})
    panels = deployed_panels(found.model_copy(update={"floors": (one,)}))
    assert [rule.points for rule in panels[0].rules if rule.points] == []
    assert "goes on" in " ".join(words(sheet(panels, columns=3, prefix="k")))


def test_names_cannot_be_markup() -> None:
    found = deep((EVIL[0], EVIL[4]), (EVIL[1],))
    for panels in (law_panels(found, "images"), deployed_panels(found)):
        svg = sheet(panels, columns=2, prefix="k")
        assert "<script" not in svg
        assert "<img" not in svg


@pytest.mark.skipif(BINARY is None, reason="no browser")
@pytest.mark.parametrize("nets", [("fcn", "resnet"), tuple(f"a network called {k}" for k in range(4))])
def test_no_two_labels_overlap(tmp_path: Path, nets: tuple[str, ...]) -> None:
    found = deep(nets)
    browser = Browser(tmp_path / "profile")
    for panels in (law_panels(found, "images"), law_panels(found, "parameters"), deployed_panels(found)):
        (tmp_path / "sheet.svg").write_text(standalone(sheet(panels, columns=3, prefix="k")), encoding="utf-8")
        browser.open(tmp_path / "sheet.svg")
        boxes = browser.run(BOXES)
        assert len(boxes) > 20
        for k, (left, top, right, bottom) in enumerate(boxes):
            assert not [b for b in boxes[:k] if b[0] < right and left < b[2] and b[1] < bottom - 2 and top < b[3] - 2]
            assert left >= 0
            assert right <= 330 * 3
    browser.close()

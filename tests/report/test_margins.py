"""An interval against its margin, and a divergence against its floors: the picture shows what the words say."""

from __future__ import annotations

import re
from xml.etree.ElementTree import fromstring

import pytest

from edgeval.records.findings import Comparison
from edgeval.records.verdict import RuleResult
from edgeval.report import floors, judged, margins
from tests.report.conftest import RULES


def words(svg: str) -> list[str]:
    return [element.text or "" for element in fromstring(svg).iter("text")]  # noqa: S314  our own drawing


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.metric)
def test_a_rule_is_one_named_picture(rule: RuleResult) -> None:
    svg = margins.margin(rule, prefix="a")
    assert judged.figure(rule, judged.line(rule)) in words(svg)
    assert f'aria-label="{judged.status_words(rule.status)}: ' in svg
    assert margins.margin(rule, prefix="a") == svg
    assert not set(re.findall(r' id="([^"]+)"', svg)) & set(
        re.findall(r' id="([^"]+)"', margins.margin(rule, prefix="b"))
    )


def spans(svg: str, colour: str) -> list[tuple[float, float]]:
    """Horizontal extents of the lines and areas in this colour of the page."""
    found = []
    for element in fromstring(svg).iter("path"):  # noqa: S314  our own drawing
        if f"--{colour}" in (element.get("style") or ""):
            xs = [float(x) for x in re.findall(r"[ML] ([\d.]+) ", element.get("d") or "")]
            found += [(min(xs), max(xs))] if xs else []
    return found


@pytest.mark.parametrize(
    ("limit", "margin", "bound", "good", "beyond"),
    [
        ("max_drop", 0.02, -0.03, -0.01, True),
        ("max_drop", 0.02, -0.01, 0.01, False),
        ("max_increase", 0.02, 0.03, 0.01, True),
        ("max_increase", 0.02, 0.01, -0.01, False),
        ("max", 5.0, 6.0, 4.0, True),
        ("min", 5.0, 4.0, 6.0, True),
        ("min", 5.0, 5.5, 6.0, False),
    ],
)
def test_what_lies_beyond_the_margin_has_its_own_colour(
    limit: str, margin: float, bound: float, good: float, beyond: bool
) -> None:
    rule = RULES[0].model_copy(
        update={"limit": limit, "margin": margin, "bound": bound, "good": good, "value": (bound + good) / 2}
    )
    svg = margins.margin(rule, prefix="a")
    (allowed,) = spans(svg, "pale")
    lost = [high - low for low, high in spans(svg, "lost")]
    assert (max(lost) > 5) == beyond
    assert all(allowed[0] - 1 <= low and high <= allowed[1] + 1 for low, high in spans(svg, "gained"))


def test_a_rule_without_a_value_has_no_picture() -> None:
    assert margins.margin(RULES[0].model_copy(update={"value": None, "bound": None}), prefix="a") == ""


@pytest.mark.parametrize("value", [0.0, 1e-12, 1e12])
def test_strange_figures_still_draw(value: float) -> None:
    rule = RULES[0].model_copy(update={"value": value, "bound": value, "good": None, "margin": 0.0})
    assert fromstring(margins.margin(rule, prefix="a")).tag == "svg"  # noqa: S314


def test_floors_stand_beside_the_device_step(judged: Comparison, plain_row: Comparison) -> None:
    found = floors.moved(judged)
    assert [m.words for m in found[2:]] == ["25 to 40 of 1,000", "580 of 4,000"]
    assert [m.floor for m in found] == [False, False, True, True]
    device = next(s for s in judged.stages if s.name == "device")
    assert found[0].high == device.lost + device.gained
    assert floors.moved(plain_row) == []
    assert floors.kernel_sentence(plain_row) == floors.retraining_sentence(plain_row) == ""
    short = judged.model_copy(update={"stages": ()})
    assert floors.kernel_sentence(short).startswith("From end to end ")
    said = words(margins.floors([margins.Span(m.name, m.low / m.n, m.high / m.n, m.floor) for m in found], prefix="f"))
    assert "2.50% to 4.00%" in said

"""The pictures are deterministic, stand beside one another, and take their colours from the page."""

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element, fromstring

import matplotlib as mpl
import pytest

from edgeval.records.findings import ClassDelta, Comparison
from edgeval.report import charts

CHARTS: dict[str, Callable[[Comparison, str], str]] = {
    "waterfall": lambda row, prefix: charts.waterfall(row, prefix=prefix),
    "classes": lambda row, prefix: charts.class_changes(row.per_class, prefix=prefix),
    "reliability": lambda row, prefix: charts.reliability(row.reliability.candidate, name="it", prefix=prefix),
    "errors": lambda row, prefix: charts.error_sets(row, prefix=prefix),
    "changes": lambda row, prefix: charts.changes([row, row], prefix=prefix),
}


@pytest.fixture(scope="module", params=list(CHARTS))
def chart(request: pytest.FixtureRequest) -> Callable[[Comparison, str], str]:
    return CHARTS[request.param]


def test_a_chart_is_deterministic_whatever_the_users_style(
    chart: Callable[[Comparison, str], str], row: Comparison
) -> None:
    first = chart(row, "a")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": "other"}):
        assert chart(row, "a") == first
        assert mpl.rcParams["font.size"] == 30


def test_a_chart_takes_colours_and_fonts_from_the_page(
    chart: Callable[[Comparison, str], str], row: Comparison
) -> None:
    svg = chart(row, "a")
    assert "var(--" in svg
    assert not re.search(r"#[0-9a-f]{6}\b(?!\))", re.sub(r"url\(#[^)]*\)|href=\"#[^\"]*\"|id=\"[^\"]*\"", "", svg))
    assert "DejaVu" not in svg
    assert "<style" not in svg
    assert "metadata" not in svg


def test_ids_of_two_charts_do_not_meet(chart: Callable[[Comparison, str], str], row: Comparison) -> None:
    ids = [set(re.findall(r' id="([^"]+)"', chart(row, prefix))) for prefix in ("a", "b")]
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', chart(row, "a")))
    assert used == ids[0]
    assert not ids[0] & ids[1]


def test_a_chart_is_one_named_picture(chart: Callable[[Comparison, str], str], row: Comparison) -> None:
    root = parse(chart(row, "a"))
    assert (root.tag, root.get("role")) == ("svg", "img")
    assert len(root.get("aria-label", "")) > 15
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"


def parse(svg: str) -> Element:
    return fromstring(svg)  # noqa: S314  our own drawing


def words(svg: str) -> list[str]:
    return [element.text or "" for element in parse(svg).iter("text")]


def test_the_waterfall_says_what_each_step_did(row: Comparison) -> None:
    said = words(charts.waterfall(row, prefix="a"))
    assert [step.name for step in row.stages] == [word for word in said if word in {s.name for s in row.stages}]
    for step in row.stages:
        assert (f"−{step.lost} lost" if step.lost else "0 lost") in said
    assert f"{100 * row.metrics['top1'].reference:.1f}%" in said


def test_of_many_classes_the_ten_worst_and_best_are_named(row: Comparison) -> None:
    ranked = [c.name for c in sorted(row.per_class, key=lambda c: (c.delta, c.index))]
    said = [word for word in words(charts.class_changes(row.per_class, prefix="a")) if word in ranked]
    assert said == ranked[:10] + ranked[-10:]


def test_of_few_classes_all_are_named(row: Comparison) -> None:
    said = words(charts.class_changes(row.per_class[:26], prefix="a"))
    assert {c.name for c in row.per_class[:26]} <= set(said)


def test_a_thousand_classes_still_fit(row: Comparison) -> None:
    many = [c.model_copy(update={"index": k, "delta": k / 1000 - 0.7}) for k, c in enumerate(row.per_class * 10)]
    root = parse(charts.class_changes(many, prefix="a"))
    assert float(root.get("height", "0")) < 1000


@pytest.mark.parametrize(
    "name",
    ["$x^2$", "<script>", 'a"b', "a\x00\x1b\nb", "\ud800", "€ \u202e", "&amp;", "猫", "кошка", "बिल्ली", "قطة", "🐈"],
)
def test_a_hostile_class_name_stays_text(name: str) -> None:
    one = ClassDelta(index=0, name="tame", n=5, reference=0.5, candidate=0.4, delta=-0.1).model_copy(
        update={"name": name}
    )
    svg = charts.class_changes([one], prefix="a")
    assert [e.tag for e in parse(svg).iter() if e.tag == "script"] == []
    assert any(word.startswith((name[0], "\\")) for word in words(svg))
    svg.encode("utf-8")

"""JUnit XML that every CI system takes: the elements, attributes and order of the common schema."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, fromstring

import pytest

from edgeval.errors import InputError
from edgeval.records.findings import Comparison
from edgeval.records.verdict import Status
from edgeval.report.junit import render_junit
from tests.report.conftest import judge
from tests.report.hostile import hostile

# element: (attributes that must be there, those that may, children in this order)
SCHEMA: dict[str, tuple[set[str], set[str], list[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors", "disabled"}, ["testsuite"]),
    "testsuite": (
        {"name", "tests"},
        {"failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package"},
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "testcase": (
        {"name", "classname"},
        {"time", "status", "assertions"},
        ["skipped", "error", "failure", "system-out", "system-err"],
    ),
    "failure": (set(), {"message", "type"}, []),
    "error": (set(), {"message", "type"}, []),
    "skipped": (set(), {"message", "type"}, []),
    "system-out": (set(), set(), []),
}


def parse(text: str) -> Element:
    return fromstring(text.encode())  # noqa: S314  our own text


def check(element: Element) -> None:
    """Fail unless the element and all below it are as the schema says."""
    needed, allowed, children = SCHEMA[element.tag]
    assert needed <= set(element.keys()) <= needed | allowed, element.tag
    order = [children.index(child.tag) for child in element]
    assert order == sorted(order), element.tag
    for child in element:
        check(child)


@pytest.mark.parametrize("status", ["PASS", "FAIL", "INCONCLUSIVE", "NO_VERDICT", None])
def test_it_follows_the_schema_and_counts_right(judged: Comparison, row: Comparison, status: Status | None) -> None:
    root = parse(render_junit([judge(judged, status) if status else row, row]))
    check(root)
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases) > 0
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(attribute, "")) == len(suite.findall(f"testcase/{tag}"))
    assert root.get("tests") == str(len(root.findall(".//testcase")))


def test_a_case_is_a_rule_and_its_status_an_element(judged: Comparison) -> None:
    cases = parse(render_junit([judged])).findall(".//testcase")
    assert [next(iter(case)).tag for case in cases] == ["failure", "error", "system-out", "error"]
    assert {case.get("classname") for case in cases} == {"edgeval.rpi4.c4"}
    failure = cases[0].find("failure")
    assert failure is not None
    assert failure.get("type") == "FAIL"
    assert "at worst −7.00 pt at 95% confidence" in failure.get("message", "")
    assert "beaver: inconclusive, −11.00 pt" in "".join(cases[3].itertext())


def test_without_a_verdict_the_case_is_skipped_and_with_none_to_be_had_it_is_an_error(row: Comparison) -> None:
    (skipped,) = parse(render_junit([row])).findall(".//skipped")
    assert "edgeval gate" in skipped.get("message", "")
    (error,) = parse(render_junit([judge(row, "NO_VERDICT")])).findall(".//error")
    assert error.text == "the runtime's version is unknown"


def test_hostile_names_stay_text_and_control_characters_are_spelt_out(judged: Comparison) -> None:
    text = render_junit([hostile(judged)])
    check(parse(text))
    assert "<script>" not in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]", text)
    assert "\\x1b[31m" in text


def test_no_row_is_an_error() -> None:
    with pytest.raises(InputError, match="no comparison"):
        render_junit([])

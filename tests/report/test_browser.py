"""A real browser shows the page, sorts and searches it, and finds nothing to complain of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeval.records.findings import Comparison
from edgeval.report.html import render_html
from edgeval.report.index import Entry, render_index
from tests.report.browser import BINARY, Browser
from tests.report.hostile import hostile

pytestmark = pytest.mark.skipif(BINARY is None, reason="no chromium on this machine: no page was rendered")
PROBE = """(() => {
  document.querySelectorAll("details").forEach(d => d.open = true);
  const number = name => Number(getComputedStyle(document.body)[name].match(/\\d+/)[0]);
  return {
    window: innerWidth, page: document.documentElement.scrollWidth,
    paper: number("backgroundColor"), ink: number("color"),
    broken: [...document.images].filter(i => !i.complete).length,
    small: [...document.querySelectorAll("svg text")].filter(t => t.getBoundingClientRect().height < 9).length,
  };
})()"""
SHIFT = """new Promise(done => new PerformanceObserver(list => done(
  list.getEntries().reduce((sum, entry) => sum + entry.value, 0)
)).observe({type: "layout-shift", buffered: true}) || setTimeout(() => done(0), 300))"""
CLASSES = "#row-1-class-table"
NAMES = f"[...document.querySelectorAll('{CLASSES} tbody tr')].filter(r => !r.hidden).map(r => r.cells[0].innerText)"
SAID = "document.querySelector('[data-for=row-1-class-table] [role=status]').textContent"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def page(judged_page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(judged_page, encoding="utf-8")
    return path


def heads(browser: Browser) -> list[str | None]:
    """aria-sort of every column of the table of classes."""
    return list(browser.run(f"[...document.querySelectorAll('{CLASSES} thead th')].map(h => h.ariaSort)"))


def click(browser: Browser, label: str) -> None:
    """Press the button of a column of the table of classes."""
    find = f"[...document.querySelectorAll('{CLASSES} thead button')].find(b => b.textContent === '{label}')"
    browser.run(f"{find}.click()")


def search(browser: Browser, tools: str, field: str, text: str) -> None:
    """Type into a field of the tools of a table or gallery."""
    found = f"document.querySelector('[data-for={tools}] {field}')"
    browser.run(f"{{ const f = {found}; f.value = {text!r}; f.dispatchEvent(new Event('input', {{bubbles: true}})) }}")


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, True)])
def test_it_fits_the_window_in_light_and_dark(browser: Browser, page: Path, width: int, dark: bool) -> None:
    browser.open(page, width=width, dark=dark)
    assert browser.run(SHIFT) == 0
    found: dict[str, Any] = browser.run(PROBE)
    assert (found["window"], found["broken"], found["small"]) == (width, 0, 0)
    assert found["page"] <= width
    assert (found["paper"] < found["ink"]) == dark
    assert browser.console == []


def test_several_candidates_fit_a_phone(browser: Browser, three: str, tmp_path: Path) -> None:
    (tmp_path / "three.html").write_text(three, encoding="utf-8")
    browser.open(tmp_path / "three.html", width=390)
    found: dict[str, Any] = browser.run(PROBE)
    assert (found["page"], found["broken"], found["small"]) == (390, 0, 0)
    assert browser.console == []


def test_columns_sort_both_ways_and_say_so(browser: Browser, page: Path, judged: Comparison) -> None:
    browser.open(page)
    assert [h for h in heads(browser) if h] == ["ascending"]
    click(browser, "Class")
    names = [c.name for c in judged.per_class]
    assert [n.split(" ")[0] for n in browser.run(NAMES)] == sorted(names)
    assert heads(browser)[0] == "ascending"
    click(browser, "Class")
    assert [n.split(" ")[0] for n in browser.run(NAMES)] == sorted(names, reverse=True)
    assert [h for h in heads(browser) if h] == ["descending"]
    assert browser.run(SAID) == "sorted by Class, descending"
    click(browser, "q")
    by_q = [c.q for c in sorted(judged.per_class, key=lambda c: names.index(c.name))]
    shown = [by_q[names.index(n.split(" ")[0])] for n in browser.run(NAMES)]
    assert shown == sorted(shown)
    assert browser.console == []


def test_sorting_works_from_the_keyboard(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run(f"document.querySelector('{CLASSES} thead button').focus()")
    browser.press("Enter", text="\r")
    assert heads(browser)[0] == "ascending"


def test_search_hides_rows_and_says_how_many_are_left(browser: Browser, page: Path) -> None:
    browser.open(page)
    search(browser, "row-1-class-table", "input", "BEA")
    assert sorted(browser.run(NAMES)) == ["bear", "beaver"]
    assert browser.run(SAID) == "2 of 100 classes shown"
    search(browser, "row-1-class-table", "input", "no such class")
    assert browser.run(NAMES) == []
    search(browser, "row-1-class-table", "input", "")
    assert len(browser.run(NAMES)) == 100


def test_the_gallery_is_filtered_by_step_and_direction(browser: Browser, page: Path, judged: Comparison) -> None:
    browser.open(page)
    search(browser, "row-1-gallery", "[data-field=stage]", "quantisation")
    search(browser, "row-1-gallery", "[data-field=kind]", "gained")
    shown = browser.run(
        "[...document.querySelectorAll('#row-1-gallery li.flip')].filter(c => c.checkVisibility())"
        ".map(c => c.querySelector('.id').textContent)"
    )
    mine = {f.id for f in judged.flipped if (f.stage, f.kind) == ("quantisation", "gained")}
    assert shown
    assert {text.split(" · ")[0] for text in shown} <= mine
    said = browser.run("document.querySelector('[data-for=row-1-gallery] [role=status]').textContent")
    assert said == f"{len(shown)} of 200 images shown"


def test_without_a_script_everything_is_shown(browser: Browser, page: Path) -> None:
    browser.open(page, script=False)
    count = browser.call("DOM.getDocument")["root"]["nodeId"]
    tools = browser.call("DOM.querySelector", nodeId=count, selector=".tools")["nodeId"]
    with pytest.raises(AssertionError, match="box model"):
        browser.call("DOM.getBoxModel", nodeId=tools)
    rows = browser.call("DOM.querySelectorAll", nodeId=count, selector=f"{CLASSES} tbody tr")["nodeIds"]
    assert len(rows) == 100


def test_every_field_and_region_has_a_name(browser: Browser, page: Path) -> None:
    browser.open(page)
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    wanted = {"searchbox", "combobox", "button", "link", "region", "table", "image", "navigation", "columnheader"}
    nameless = [n["role"]["value"] for n in nodes if n.get("role", {}).get("value") in wanted and not n["ignored"]]
    named = [n for n in nodes if n.get("role", {}).get("value") in wanted and n.get("name", {}).get("value")]
    assert len(named) == len(nameless) > 100


def test_hostile_names_run_nothing(browser: Browser, judged: Comparison, tmp_path: Path) -> None:
    bad = hostile(judged)
    (tmp_path / "bad.html").write_text(render_html([bad], images={}), encoding="utf-8")
    browser.open(tmp_path / "bad.html")
    assert browser.run("document.scripts.length") == 1
    assert browser.console == []
    browser.open(tmp_path / "bad.html", width=390)
    assert browser.run(PROBE)["page"] <= 390


def test_an_injected_script_is_refused(browser: Browser, judged_page: str, tmp_path: Path) -> None:
    (tmp_path / "in.html").write_text(
        judged_page.replace("</body>", "<script>window.ran = 1</script></body>"), encoding="utf-8"
    )
    browser.open(tmp_path / "in.html")
    assert browser.run("window.ran") is None
    assert any("Content Security Policy" in line for line in browser.console)


def test_the_index_sorts_and_fits_a_phone(
    browser: Browser, judged: Comparison, row: Comparison, tmp_path: Path
) -> None:
    entries = [
        Entry("a.json", "rpi4/a.html", "2026-01-02 10:00", (judged,)),
        Entry("b.json", "", "2026-01-01 10:00", (row,)),
    ]
    (tmp_path / "index.html").write_text(render_index(entries, title="All targets"), encoding="utf-8")
    browser.open(tmp_path / "index.html", width=390)
    assert browser.run(PROBE)["page"] <= 390
    dates = "[...document.querySelectorAll('#index tbody tr')].map(r => r.cells[8].textContent)"
    assert browser.run(dates) == ["2026-01-02 10:00", "2026-01-01 10:00"]
    browser.run("document.querySelectorAll('#index thead button')[8].click()")
    assert browser.run(dates) == ["2026-01-01 10:00", "2026-01-02 10:00"]
    assert browser.console == []

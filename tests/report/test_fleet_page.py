"""The page, the text and the Markdown of a fleet, with names that mean harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.records.findings import Comparison
from edgeval.records.fleet import DeviceState, Disagreement, Fleet
from edgeval.report.fleet_page import render_fleet
from edgeval.report.fleet_text import render_fleet_text
from edgeval.report.markdown import render_fleet_markdown
from tests.report.browser import BINARY, Browser

EVIL = "<script>alert(1)</script>|`@all`\x1b[31m" + "x" * 300
NAMES = ("pi-a", "pi-b", "a-name-that-is-far-too-long-for-any-column-of-a-table")


def placed(row: Comparison, name: str) -> Comparison:
    return row.model_copy(update={"target": row.target.model_copy(update={"target": name}), "verdict": None})


@pytest.fixture
def rows(row: Comparison) -> list[Comparison]:
    return [placed(row, name) for name in NAMES]


@pytest.fixture
def fleet() -> Fleet:
    pairs = [
        Disagreement(
            candidate="net:c4",
            format="tflite-int8",
            sha256="f" * 64,
            one=one,
            other=other,
            n=4000,
            changed=changed,
            lost=changed // 2,
            gained=changed // 3,
            jaccard=None if not changed else 0.9,
            ci95=None,
        )
        for one, other, changed in [(NAMES[0], NAMES[1], 0), (NAMES[0], NAMES[2], 46), (NAMES[1], NAMES[2], 46)]
    ]
    states = [DeviceState(name=name, state="answered", origin="device", runtime=EVIL) for name in NAMES]
    states.append(DeviceState(name="gone", state="unreachable", error=EVIL, exit_code=4))
    return Fleet(name=EVIL, devices=tuple(states), disagreement=tuple(pairs))


def test_no_name_is_markup(fleet: Fleet, rows: list[Comparison]) -> None:
    page = render_fleet(fleet, rows, pages={NAMES[0]: "pi-a/x.html"})
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert 'href="pi-a/x.html"' in page
    assert "<script>" not in render_fleet_markdown(fleet, rows)


def test_the_screen_keeps_to_80_columns(fleet: Fleet, rows: list[Comparison]) -> None:
    text = render_fleet_text(fleet, rows, report=None)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80
    assert "1 more pair without any difference" in text
    assert "gone              unreachable (exit code 4)" in text


@pytest.mark.skipif(BINARY is None, reason="no browser")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window_and_says_nothing_to_the_console(
    fleet: Fleet, rows: list[Comparison], tmp_path: Path, width: int
) -> None:
    (tmp_path / "fleet.html").write_text(render_fleet(fleet, rows, pages={}), encoding="utf-8")
    browser = Browser(tmp_path / "profile")
    browser.open(tmp_path / "fleet.html", width=width)
    wide, said = browser.run("document.documentElement.scrollWidth"), list(browser.console)
    browser.close()
    assert wide <= width
    assert said == []

"""Files of the report of a study of regressors, and that its page fits its window."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval.errors import RuntimeMissing
from edgeval.records.deep_regression import DeepRegression
from edgeval.workflow import study_report
from edgeval.workflow.deep_report import write_deep
from tests.report.browser import BINARY, Browser
from tests.report.deep import PLACES, deep

PICTURES = {"images.svg", "parameters.svg", "deployed.svg"}


def test_the_folder_holds_page_text_record_and_pictures(tmp_path: Path) -> None:
    found = deep(("fcn",), ("theta", "J"))
    page = write_deep(found, tmp_path)
    assert page == tmp_path / "study.html"
    assert {path.name for path in tmp_path.iterdir()} == {"study.html", "study.md", "study.json", *PICTURES}
    assert DeepRegression.model_validate(json.loads((tmp_path / "study.json").read_text())) == found
    assert page.read_text(encoding="utf-8").count("<svg") == 6


def test_what_there_is_nothing_for_is_not_drawn(tmp_path: Path) -> None:
    write_deep(deep(("fcn",), ("theta",), PLACES[:1]), tmp_path)
    assert {path.name for path in tmp_path.glob("*.svg")} == PICTURES - {"deployed.svg"}


def test_without_the_extra_markdown_is_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise RuntimeMissing("jinja2 is not installed")

    monkeypatch.setattr(study_report, "environment", missing)
    assert write_deep(deep(("fcn",), ("theta",)), tmp_path) == tmp_path / "study.md"
    assert {path.name for path in tmp_path.iterdir()} == {"study.md", "study.json"}


@pytest.mark.skipif(BINARY is None, reason="no browser")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window(tmp_path: Path, width: int) -> None:
    page = write_deep(deep(), tmp_path)
    browser = Browser(tmp_path / "profile")
    browser.open(page, width=width)
    wide, said = browser.run("document.documentElement.scrollWidth"), list(browser.console)
    browser.close()
    assert wide <= width
    assert said == []

"""Reports of a regression comparison: one screen, Markdown and HTML, with hostile names inert."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from edgeval.compare.regress import RegressionContext, compare_values
from edgeval.compare.regression_score import score_values
from edgeval.records.predictions import Source
from edgeval.records.regression import RegressionComparison
from edgeval.records.values import Values
from edgeval.records.verdict import RuleResult, Verdict
from edgeval.report.regression import figure, render_markdown, render_score, render_text, sentence
from edgeval.report.regression_page import render_html
from tests.report.hostile import EVIL


def side(outputs: int, shift: float, names: tuple[str, ...] | None = None, n: int = 200) -> Values:
    rng = np.random.default_rng(0)
    targets = rng.normal(0, 3, (n, outputs)) * 10.0 ** np.arange(outputs)
    values = targets * (1 + shift) + rng.normal(0, 0.5, targets.shape)
    ids = tuple(f"{(names or EVIL)[0]}{k}" for k in range(n))
    source = Source(name=names[0] if names else "net.onnx", format="table", runtime={"engine": "x", "note": "<b>"})
    return Values(targets, values, names or tuple(f"n{k}" for k in range(outputs)), source, ids)


def compared(outputs: int, names: tuple[str, ...] | None = None, command: str = "") -> RegressionComparison:
    context = RegressionContext(tolerance=(1.0,), notes=names or (), command=command)
    return compare_values(side(outputs, 0.0, names), side(outputs, 0.02, names), context).comparison


class Tags(HTMLParser):
    """Tags and attributes as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


@pytest.mark.parametrize("outputs", [1, 2, 12])
def test_the_screen_fits_into_eighty_columns_of_ascii(outputs: int) -> None:
    row = compared(outputs)
    text = render_text(row, report=Path("runs/reports/desktop/x.html"))
    assert max(map(len, text.splitlines())) <= 80
    assert text.isascii()
    assert len(text.splitlines()) <= 24
    assert max(map(len, render_score(score_values(side(outputs, 0.0))).splitlines())) <= 80


def test_numbers_keep_four_digits() -> None:
    cases = {
        0.0: "0",
        1.02: "1.020",
        -0.00012346: "−0.0001235",
        12345.6: "12,346",
        1.5e-9: "1.500e−09",
        3e12: "3.000e+12",
    }
    assert {number: figure(number) for number in cases} == cases
    assert (figure(0.5, signed=True), figure(None)) == ("+0.5000", "—")


@pytest.mark.parametrize(
    ("n", "shift", "said"),
    [
        (200, 0.0, "is as large as the reference's."),
        (200, 0.2, "times the reference's."),
        (200, 0.005, "which may be chance."),
        (20, 0.2, "the interval behind this is approximate."),
        (1, 0.2, "which may be chance."),
    ],
)
def test_the_sentence_claims_a_change_only_beyond_chance(n: int, shift: float, said: str) -> None:
    row = compare_values(side(1, 0.0, n=n), side(1, shift, n=n)).comparison
    assert sentence(row).endswith(said)


def test_a_verdict_comes_first_everywhere() -> None:
    rule = RuleResult(metric="mse_ratio", margin=1.1, value=1.2, bound=1.3, confidence=0.95, status="FAIL", limit="max")
    verdict = Verdict(status="FAIL", exit_code=1, look=1, reasons=(), rules=(rule,))
    row = compared(1).model_copy(update={"verdict": verdict})
    assert render_text(row, report=None).startswith("FAIL: 1 of 1 rules is broken")
    assert "**FAIL**" in render_markdown(row)
    assert 'class="verdict FAIL"' in render_html(row)


def test_hostile_names_stay_inert() -> None:
    names = ("".join(EVIL[:3]), "".join(EVIL[3:]))
    row, clean = compared(2, names, command=EVIL[0]), compared(2, ("a", "b"), command="c")
    page, plain = render_html(row), render_html(clean)
    found, expected = Tags(page), Tags(plain)
    assert found.tags == expected.tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert "<img" not in render_markdown(row)
    assert "\x1b" not in render_text(row, report=None) + page + render_markdown(row)
    tables = [line for line in render_markdown(row).splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables[6:]} == {8}


def test_the_page_is_small_and_needs_nothing_else() -> None:
    page = render_html(compared(12))
    assert len(page) < 400_000
    assert page.count("<svg") >= 12
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert RegressionComparison.model_validate_json(compared(2).model_dump_json(by_alias=True)) == compared(2)

"""A study of regressors on a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.records.deep_regression import DeepRegression
from edgeval.report.deep.text import render_deep_text
from edgeval.report.deep.units import physical
from edgeval.report.deep.whole import deep_summary
from tests.report.deep import PLACES, deep
from tests.report.hostile import EVIL


@pytest.fixture(scope="module")
def found() -> DeepRegression:
    return deep()


def test_one_screen_says_what_was_found(found: DeepRegression) -> None:
    text = render_deep_text(found, Path("runs/studies/deep-regression/study.html"))
    lines = text.splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80
    assert text.isascii()
    assert lines[-1] == "report: runs/studies/deep-regression/study.html"
    for words in (
        "DIFFERENT PROTOCOL: 1.4",
        "DOES NOT HOLD: R2",
        "kernel ridge has the lowest error",
        "stops at 2,700",
    ):
        assert words in text


def test_an_exponent_has_its_interval_and_a_law_that_rises_its_star(found: DeepRegression) -> None:
    law = found.laws[0]
    low, high = law.exponent.ci95
    cell = f"{law.exponent.value:.2f} ({low:.2f} to {high:.2f})"
    assert f"fcn        {cell}   " in render_deep_text(found, None)
    bent = (law.model_copy(update={"falls": False}), *found.laws[1:])
    assert f"{cell} *" in render_deep_text(found.model_copy(update={"laws": bent}), None)


def test_the_largest_sizes_have_their_errors_in_physical_units(found: DeepRegression) -> None:
    rmse = next(row for row in found.rows if row.rung == "w64-n8000").outputs[0].rmse
    assert rmse is not None
    assert f"fcn, 8,000 images: theta {physical(rmse)} degrees, J " in render_deep_text(found, None)
    assert "degrees" not in render_deep_text(found.model_copy(update={"units": ()}), None)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.037, "0.0370"), (0.00324, "0.00324"), (12.34, "12.3"), (123.4, "123"), (3e-5, "3.00e-5"), (1234.0, "1.23e3")],
)
def test_physical_errors_have_three_digits(value: float, said: str) -> None:
    assert physical(value) == said


def test_a_remark_on_all_claims_is_made_once(found: DeepRegression) -> None:
    claims = tuple(claim.model_copy(update={"note": "for orientation", "ours": "1"}) for claim in found.claims)
    assert render_deep_text(found.model_copy(update={"claims": claims}), None).count("for orientation") == 1


def test_many_notes_are_counted(found: DeepRegression) -> None:
    text = render_deep_text(found.model_copy(update={"notes": tuple(f"note {k}" for k in range(5))}), None)
    assert "note 2" in text
    assert "note 3" not in text
    assert "2 more in the report" in text


def test_what_is_missing_leaves_no_heading() -> None:
    bare = deep(("fcn",), ("theta",), PLACES[:1])
    empty = dict.fromkeys(("laws", "floors", "doublings", "baselines", "claims", "checks", "notes"), ())
    text = render_deep_text(bare.model_copy(update={**empty, "units": ()}), None)
    assert text.split() == deep_summary(bare).split()


def test_hostile_and_many_names_keep_to_80_columns() -> None:
    found = deep((EVIL[0], EVIL[5] * 4), tuple(f"{EVIL[1]}{k}" for k in range(5)), (*PLACES, ("tflite-int8", EVIL[5])))
    lines = render_deep_text(found, None).splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in "".join(lines)

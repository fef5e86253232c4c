"""The page and the screen of a ladder as deployed, with names that mean harm and figures that are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.compare.laws import law
from edgeval.records.deployed import AlphaChange, Asked, Damage, Deployed, Kept, SeedDamage, ShipRow
from edgeval.records.predictions import Source
from edgeval.records.scaling import Scaling
from edgeval.report.laws import render_laws
from edgeval.report.scaling_page import render_scaling
from edgeval.report.ship import answers
from tests.report.browser import BINARY, Browser

EVIL = "<script>alert(1)</script>|`@all`\x1b[31m" + "x" * 300
SIZES = {21_936: "c4", 80_348: EVIL, 4_738_596: "c64"}


def row(name: str, params: int, *, front: bool) -> ShipRow:
    hurt = SeedDamage(seed=0, lost=52_000, gained=21_000, delta=-0.0078, ci95=(-0.0122, -0.0037))
    damage = Damage(lost=52_000, gained=21_000.4, delta=-0.0078, ci95=hurt.ci95, method="Tango", by_seed=(hurt,))
    return ShipRow(
        name=name,
        params=params,
        seeds=(0, 1),
        top1=1.0,
        bottom5=0.31,
        ece=None,
        latency_p50_ms=None,
        peak_memory_mb=None,
        arena_kb=1234.5,
        artifact_kb=98_765.4,
        lost=123_456.5,
        gained=86,
        front=front,
        damage=damage,
    )


def asked(rung: str, status: str, bound: float) -> Asked:
    more = 850 if status == "INCONCLUSIVE" else None
    ends = {"bound": bound, "good": bound + 0.05, "value": bound + 0.02}
    return Asked(rung=rung, status=status, seeds=(0, 1), seed=1, more_images=more, why="it is so", **ends)


@pytest.fixture
def found() -> Scaling:
    errors = {n: [0.5 / (k + 1), 0.51 / (k + 1)] for k, n in enumerate(SIZES)}
    fitted = law(f"net, tflite-int8 on {EVIL}", errors, names=SIZES)
    one = Deployed(
        **fitted.model_dump(),
        target=EVIL,
        format="tflite-int8",
        n=40_000,
        source=Source(name="net:c64", format="tflite-int8", origin="emulated", fidelity=EVIL, host={"machine": EVIL}),
        reference="c64",
        reference_top1=0.9,
        reference_bottom5=0.8,
        reference_ece=None,
        rows=tuple(row(name, n, front=n < 100_000) for n, name in SIZES.items()),
        objectives=("top1", "bottom5", "artifact_kb"),
        missing=("latency_p50_ms",),
        kept=(
            Kept(
                metric="bottom5",
                margin=0.05,
                confidence=0.95,
                rung="c64",
                method="m",
                asked=(asked("c64", "PASS", -0.03), asked(EVIL, "INCONCLUSIVE", -0.06)),
            ),
            Kept(
                metric="top1", margin=0.01, confidence=0.95, rung=None, method="m", asked=(asked("c64", "FAIL", -0.09),)
            ),
            Kept(metric="ece", margin=0.01, confidence=0.95, rung=None, method="m", asked=()),
        ),
        alpha_change=AlphaChange(value=0.018, sd=0.01, ci95=(-0.002, 0.033), method="m"),
    )
    return Scaling(
        **law("net, as trained", errors, names=SIZES).model_dump(), deployed=(one,), command=f"edgeval {EVIL}"
    )


def test_the_screen_keeps_to_80_columns_and_to_ascii(found: Scaling) -> None:
    text = render_laws(found, note="Report: x.html")
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert text.isascii()
    assert text.index("which rung to ship") < text.index("bottom-5    ECE") < text.index("net, as trained")
    assert text.endswith("Report: x.html")


def test_the_answers_in_words(found: Scaling) -> None:
    said = " ".join(answers(found.deployed[0]))
    assert (
        "Smallest rung that keeps bottom-5 within 5.00 pt of c64 in torch: c64 (worst case −3.00 pt, seed 1 of 2)."
        in said
    )
    assert (
        "is undecided: its bottom-5 changes by −4.00 pt (−6.00 to −1.00 pt); about 850 more images decide it." in said
    )
    assert "No rung surely keeps top-1 within 1.00 pt of c64 in torch: the nearest is c64" in said
    assert "No rung can be judged" in said
    assert "not measured here: latency" in said
    assert "No change of alpha is seen" in said


def test_no_name_is_markup_and_the_picture_is_there(found: Scaling) -> None:
    page = render_scaling(found)
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert page.count("<svg") >= 1
    assert "Arena, kB" in page


def test_a_file_of_points_has_a_page_without_rungs(found: Scaling) -> None:
    page = render_scaling(found.model_copy(update={"deployed": ()}))
    assert "Error against parameters" in page
    assert "Which rung to ship" not in page


@pytest.mark.skipif(BINARY is None, reason="no browser")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_scaling_page_fits_its_window(found: Scaling, tmp_path: Path, width: int) -> None:
    (tmp_path / "scaling.html").write_text(render_scaling(found), encoding="utf-8")
    browser = Browser(tmp_path / "profile")
    browser.open(tmp_path / "scaling.html", width=width)
    wide, said = browser.run("document.documentElement.scrollWidth"), list(browser.console)
    browser.close()
    assert wide <= width
    assert said == []

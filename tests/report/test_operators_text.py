"""What int8 of each kind costs, on a screen of 80 columns."""

from __future__ import annotations

import pytest

from edgeval.records.findings import Estimate
from edgeval.records.operators import KindCost, Measure, OperatorReport, Tried
from edgeval.report.operators import render_operators


def tried(name: str, damage: Estimate) -> Tried:
    size, score = 1_219_300, 0.0005
    return Tried(name=name, file="f", sha256="", size_bytes=size, score=score, damage=damage, moved=0, within=False)


def report(measure: Measure, method: str) -> OperatorReport:
    sure, stated = (Estimate(value=-0.1055, ci95=(-0.1041, 0.1070), method=how) for how in ("Tango score", method))
    alone = KindCost(
        kind="SQUARED_DIFFERENCE_OF_MINE",
        operators=12,
        only=tried("only", sure),
        all_but=tried("all but", sure),
        cost=stated,
        share=0.69,
        extra_bytes=-904_800,
    )
    return OperatorReport(
        ladder="vit",
        rung="d32",
        seed=0,
        n=2000,
        measure=measure,
        allowance=0.05,
        calibration_images=10,
        whole=(tried("float", Estimate(value=None)), tried("int8", sure)),
        kinds=(alone,),
        recommended="int8",
        sentence="Take int8: it is small. " * 5,
        folder="runs",
    )


@pytest.mark.parametrize("measure", ["mse_ratio", "top1_drop"])
def test_it_fits_the_screen_and_marks_what_is_approximate(measure: Measure) -> None:
    shown = render_operators(report(measure, "bootstrap; approximate: 12 samples"))
    assert max(map(len, shown.splitlines())) <= 80
    (marked,) = (line for line in shown.splitlines() if ") ~" in line)
    assert marked.split()[-2:] == ["69%", "-904.8"]
    assert "~ approximate" in shown
    assert "~" not in render_operators(report(measure, "Tango score"))

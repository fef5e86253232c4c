"""What deployment takes from the exponents, in sentences and beside them."""

from __future__ import annotations

from edgeval.records.deep_regression import DeepRegression, ErrorLaw, ExponentChange
from edgeval.report.blocks import Table
from edgeval.report.deep.laws import change_sentences, deployed_law_blocks
from tests.report.deep import PLACES, deep


def changed(law: ErrorLaw) -> ErrorLaw:
    """By -0.32 in int8, by nothing that is seen in float."""
    change = ExponentChange(value=-0.32, ci95=(-0.39, -0.25))
    if law.format == "torch":
        return law
    quiet = ExponentChange(value=-1e-4, ci95=(-2e-4, 1e-4))
    return law.model_copy(update={"change": change if law.format.endswith("int8") else quiet})


def study() -> DeepRegression:
    found = deep(nets=("fcn",), outputs=("theta", "j"), places=(*PLACES, ("tflite-fp32", "desktop")))
    return found.model_copy(update={"laws": tuple(map(changed, found.laws))})


def test_changes_are_said_where_they_are_seen() -> None:
    said = change_sentences(study())
    assert said
    assert all("int8" in one and "theta −0.32 (−0.39 to −0.25), j −0.32" in one for one in said)
    assert change_sentences(deep(nets=("fcn",))) == []


def test_a_change_stands_beside_its_exponent() -> None:
    (table,) = (block for block in deployed_law_blocks(study()) if isinstance(block, Table))
    cells = dict(zip(table.head, table.rows[0], strict=True))
    assert cells["int8 TFLite"].endswith(", −0.32 (−0.39 to −0.25)")
    assert cells["fp32 TFLite"].endswith(", 0.00 (0.00 to 0.00)")
    assert "," not in cells["As trained"]

"""What deployment takes from the exponents, in sentences and beside them."""

from __future__ import annotations

from edgeval.records.deep_regression import DeepRegression, ErrorLaw, ExponentChange
from edgeval.report.blocks import LONGEST, Table, Text
from edgeval.report.deep.laws import change_sentences, deployed_law_blocks, law_blocks
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
    assert all(
        "in int8 TFLite and int8 ONNX the exponents change: theta by −0.32 (−0.39 to −0.25), j" in s for s in said
    )
    assert change_sentences(deep(nets=("fcn",))) == []


def test_a_change_whose_interval_holds_none_is_not_said_to_be_one() -> None:
    found = study()
    doubt = ExponentChange(value=-0.12, ci95=(-0.31, 0.07))
    laws = tuple(
        law.model_copy(update={"change": doubt}) if law.change and law.output == "j" else law for law in found.laws
    )
    said = [one for one in change_sentences(found.model_copy(update={"laws": laws})) if "int8" in one]
    assert said
    words = "theta by −0.32 (−0.39 to −0.25); cannot be told from no change: j −0.12 (−0.31 to 0.07)."
    assert all(one.endswith(words) for one in said)


def test_a_law_without_a_rival_is_not_called_best_and_no_words_are_cut() -> None:
    blocks = list(law_blocks(study()))
    tables = [block for block in blocks if isinstance(block, Table)]
    assert all("Best by AICc" not in table.head for table in tables)  # the broken law has too few sizes for an AICc
    assert max(len(table.caption) for table in tables) < LONGEST
    assert max(len(block.text) for block in blocks if isinstance(block, Text)) < 4 * LONGEST


def test_a_change_stands_beside_its_exponent() -> None:
    (table,) = (block for block in deployed_law_blocks(study()) if isinstance(block, Table))
    cells = dict(zip(table.head, table.rows[0], strict=True))
    assert cells["int8 TFLite"].endswith(", −0.32 (−0.39 to −0.25)")
    assert cells["fp32 TFLite"].endswith(", 0.00 (0.00 to 0.00)")
    assert "," not in cells["As trained"]

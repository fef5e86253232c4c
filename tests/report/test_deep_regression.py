"""The report of a study of regressors: its parts in order, what is missing left out, and names that mean harm."""

from __future__ import annotations

import pytest

from edgeval.records.deep_regression import DeepRegression
from edgeval.report.blocks import Heading, Table, Text, render_blocks_html, render_blocks_markdown
from edgeval.report.deep.whole import deep_blocks, deep_summary
from tests.report.deep import PLACES, deep
from tests.report.hostile import EVIL

BOARD = (*PLACES, ("tflite-int8", "pi4"))
EMPTY: dict[str, object] = dict.fromkeys(("laws", "floors", "doublings", "baselines", "claims", "checks", "notes"), ())


@pytest.fixture(scope="module")
def found() -> DeepRegression:
    return deep()


def headings(found: DeepRegression) -> list[str]:
    return [block.text for block in deep_blocks(found) if isinstance(block, Heading) and block.level == 2]


def tables(found: DeepRegression) -> list[Table]:
    return [block for block in deep_blocks(found) if isinstance(block, Table)]


def test_the_parts_stand_in_their_order(found: DeepRegression) -> None:
    assert headings(found) == [
        "The paper's claims",
        "The study's own conditions",
        "As trained",
        "Laws of error against size",
        "Beside the mean predictor and kernel ridge",
        "More images or a larger net?",
        "As deployed",
        "Where quantisation stops the law",
    ]


def test_the_summary_says_what_was_trained(found: DeepRegression) -> None:
    said = "54 networks of 18 sizes (fcn, resnet), protocol small; they learn theta, J, D; 2,000 test images."
    assert deep_summary(found) == said
    assert next(deep_blocks(found)) == Text(said)


def test_every_number_of_images_along_the_law_is_beside_the_papers_exponents(found: DeepRegression) -> None:
    images, params = (table for table in tables(found) if table.caption.startswith("Along "))
    assert [row[images.head.index("The paper")] for row in images.rows] == ["1 to 2, up to about 2.3"] * 6
    assert "The paper" not in params.head
    assert {row[images.head.index("Window")] for row in images.rows} == {"250 to 8,000"}


def test_a_size_shows_its_errors_and_its_rates(found: DeepRegression) -> None:
    table = next(table for table in tables(found) if table.caption.startswith("MSE and R2"))
    row = dict(zip(table.head, table.rows[0], strict=True))
    first = found.rows[0]
    assert (row["Size"], row["Images"], row["Rate"]) == (first.rung, "250", "0.0003, 0.001")
    assert float(row["MSE, theta"]) == pytest.approx(first.outputs[0].mse, rel=0.01)


def test_errors_stand_in_physical_units_where_the_study_knows_them(found: DeepRegression) -> None:
    table = next(table for table in tables(found) if "theta, degrees" in table.head)
    assert table.head[2:] == ("Images", "Parameters", "theta, degrees", "J, meV", "D, meV")
    rows = {row[:2]: row for row in table.rows}
    mse = found.rows[0].outputs[0].mse
    assert float(rows["fcn", "w64-n250"][4]) == pytest.approx(1.2 * mse**0.5, rel=0.01)
    assert "theta 0.8 to 2 degrees, J 1 to 3 meV, D 0.02 to 0.2 meV" in (table.caption or "")
    bare = list(deep_blocks(found.model_copy(update={"units": ()})))
    assert len(bare) == len(list(deep_blocks(found))) - 2
    assert not any("degrees" in str(block) for block in bare)


def test_ratios_have_a_column_a_place_and_boards_their_name() -> None:
    found = deep(outputs=("theta",), places=BOARD)
    ratios = next(table for table in tables(found) if "in multiples of that as trained" in table.caption)
    assert ratios.head[5:] == ("int8 TFLite", "int8 TFLite on pi4", "int8 ONNX")
    assert ratios.rows[0][5] == ratios.rows[0][6] == f"{found.rows[18].outputs[0].ratio:.2f}"


def test_sizes_that_are_not_deployed_yet_are_set_beside_nothing() -> None:
    whole = deep(("fcn",), ("theta",))
    rows = tuple(row for row in whole.rows if row.format == "torch" or row.images != 8000)
    laws = tuple(
        law if law.format == "torch" else law.model_copy(update={"points": law.points[:-1]}) for law in whole.laws
    )
    found = tables(whole.model_copy(update={"rows": rows, "laws": laws}))
    details = next(table for table in found if (table.caption or "").startswith("theta, at each"))
    assert [cells[1] for cells in details.rows] == ["w128-n4000"] * 3
    beside = next(table for table in found if "* not of the same sizes" in (table.caption or ""))
    assert all(cell.endswith(" *") for row in beside.rows for cell in row[5:])
    assert not any("* not of" in (table.caption or "") for table in tables(whole))


def test_many_sizes_are_thinned_with_both_ends_kept(found: DeepRegression) -> None:
    some = [row.model_copy(update={"rung": f"n{n}", "images": n}) for row in found.rows for n in range(1, 40, 9)]
    ratios = next(
        table for table in tables(found.model_copy(update={"rows": tuple(some)})) if "up to 10 sizes" in table.caption
    )
    mine = [row[1] for row in ratios.rows if row[0] == "fcn"]
    assert len(mine) == 10
    assert (mine[0], mine[-1]) == ("n1", "n37")


def test_the_grid_stands_beside_the_error(found: DeepRegression) -> None:
    table = next(table for table in tables(found) if (table.caption or "").startswith("theta, at each"))
    row = dict(zip(table.head, next(row for row in table.rows if row[2] == "int8 TFLite"), strict=True))
    assert row["Step^2 / 12"] == "1.28e-6"
    assert float(row["Step / RMSE"]) == pytest.approx(1 / 255 / float(row["MSE"]) ** 0.5, abs=0.01)


@pytest.mark.parametrize("field", EMPTY)
def test_a_part_that_there_is_nothing_for_is_left_out(found: DeepRegression, field: str) -> None:
    bare = found.model_copy(update={field: ()})
    assert len(list(deep_blocks(bare))) < len(list(deep_blocks(found)))


def test_nothing_but_trained_sizes() -> None:
    bare = deep(places=PLACES[:1]).model_copy(update=EMPTY)
    assert headings(bare) == ["As trained"]
    assert headings(bare.model_copy(update={"rows": ()})) == []


def test_one_output_is_a_study_too() -> None:
    found = deep(nets=("fcn",), outputs=("theta",))
    page = render_blocks_html("T", list(deep_blocks(found)))
    assert "MSE, theta" in page
    assert "MSE, J" not in page


def test_no_name_is_markup() -> None:
    found = deep(nets=(EVIL[0], EVIL[4]), outputs=(EVIL[1], EVIL[3]), places=(PLACES[0], ("tflite-int8", EVIL[5])))
    evil = {"rung": EVIL[4], "protocol": EVIL[0]}
    rows = tuple(row.model_copy(update=evil) for row in found.rows)
    units = tuple(unit.model_copy(update={"name": EVIL[4]}) for unit in found.units)
    found = found.model_copy(update={"rows": rows, "notes": EVIL, "protocols": EVIL, "units": units})
    page = render_blocks_html(EVIL[0], list(deep_blocks(found)))
    text = render_blocks_markdown(EVIL[0], list(deep_blocks(found)))
    for said in (page, text):
        assert "<script>" not in said
        assert "<img" not in said
        assert "\x1b" not in said
    assert "](javascript" not in text
    widths = [line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("| MSE")]
    assert len(set(widths)) <= 1

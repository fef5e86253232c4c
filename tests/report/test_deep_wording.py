"""Numbers of a study of regressors as they are written."""

from __future__ import annotations

import pytest

from edgeval.report.deep.wording import (
    between,
    error,
    format_words,
    number,
    place_words,
    places,
    ratio,
    rounded,
    signed,
)
from tests.report.deep import PLACES, deep


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3.014e-5, "3.01e-5"), (0.0833, "8.33e-2"), (1.0, "1.00e0"), (9.999e-6, "1.00e-5"), (0.0, "0.00e0"), (None, "—")],
)
def test_an_error_always_shows_its_power_of_ten(value: float | None, shown: str) -> None:
    assert error(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.998, "1.00"), (9.996, "10.0"), (12.34, "12.3"), (1240.4, "1,240"), (None, "—")]
)
def test_a_ratio_has_three_digits(value: float | None, shown: str) -> None:
    assert ratio(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(2679.0, "2,700"), (3.46, "3.5"), (10.4, "10"), (0.0312, "0.031"), (0.0, "0"), (99.9, "100")]
)
def test_two_digits_of_a_size(value: float, shown: str) -> None:
    assert rounded(value) == shown


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ((908.0, 3456.0), "910 to 3,500"),
        ((820.7, None), "820 or more"),
        ((None, 438_000.0), "up to 440,000"),
        ((None, None), "the whole window"),
    ],
)
def test_an_interval_of_sizes_may_be_open(sizes: tuple[float | None, float | None], shown: str) -> None:
    assert between(sizes) == shown


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert [number(value) for value in (-0.004, -0.006, 0.0)] == ["0.00", "−0.01", "0.00"]


@pytest.mark.parametrize(("value", "shown"), [(-0.00123, "−0.0012"), (0.5, "+0.5000"), (-1e-6, "0.0000")])
def test_a_bias_has_a_sign_unless_it_rounds_to_zero(value: float, shown: str) -> None:
    assert signed(value) == shown


@pytest.mark.parametrize(
    ("fmt", "words"),
    [("torch", "as trained"), ("tflite-int8", "int8 TFLite"), ("onnx-fp32", "fp32 ONNX"), ("hls4ml", "hls4ml")],
)
def test_formats_in_words(fmt: str, words: str) -> None:
    assert format_words(fmt) == words


def test_floats_come_first_and_an_emulated_board_says_so() -> None:
    board = deep(("fcn",), ("theta",), (*PLACES, ("tflite-int8", "pi"), ("tflite-fp32", "desktop")))
    rows = tuple(row.model_copy(update={"origin": "emulated"}) if row.target == "pi" else row for row in board.rows)
    found = board.model_copy(update={"rows": rows})
    words = [place_words(found, place) for place in places(found)]
    assert words == [
        "fp32 TFLite",
        "int8 TFLite",
        "int8 TFLite on pi (emulated)",
        "int8 ONNX",
    ]

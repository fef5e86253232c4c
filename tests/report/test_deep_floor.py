"""Where quantisation stops a law, in sentences that a user understands."""

from __future__ import annotations

import pytest

from edgeval.records.deep_regression import DeepRegression, QuantisationFloor
from edgeval.records.laws import Exponent
from edgeval.report.deep.floor import floor_sentence, meet_words, stop_words
from tests.report.deep import deep

Point = tuple[int, float, float, float]


@pytest.fixture(scope="module")
def found() -> DeepRegression:
    return deep(nets=("fcn",), outputs=("theta",))


def value(number: float) -> Exponent:
    return Exponent(value=number, se=0.1, ci95=(number - 0.2, number + 0.2), method="m")


def floor(side: str, *points: Point, **more: object) -> QuantisationFloor:
    """Of int8 TFLite along images."""
    default = {"stops": None, "beyond": None, "before": None, "step": None, "grid": None, "grid_share": None}
    names = {"net": "fcn", "along": "images", "fixed": "64 wide", "output": "theta", "seeds": 3}
    place = {"format": "tflite-int8", "target": "desktop", "whole": value(0.6), "trained": value(1.4)}
    return QuantisationFloor(points=points, side=side, **names | place | default | more)


FLAT: tuple[Point, ...] = ((500, 1e-4, 4e-5, 1.4e-4), (1000, 3e-5, 4e-5, 5e-5), (2000, 1e-5, 4e-5, 5e-5))


def test_an_error_that_stays_says_at_which_level(found: DeepRegression) -> None:
    said = floor_sentence(found, floor("within", *FLAT, stops=896.0, before=value(1.3)))
    assert said == (
        "int8 TFLite stops the law at about 900 images: beyond it the error stays near 5.0e-5 whatever is trained on;"
        " before it the exponent is 1.30 (1.10 to 1.50), over the whole window 0.60 (0.40 to 0.80),"
        " as trained 1.40 (1.20 to 1.60)."
    )


def test_the_size_at_which_it_stops_has_an_interval(found: DeepRegression) -> None:
    some = floor("within", *FLAT, stops=896.0, undecided=(612.0, None))
    assert "at about 900 images (95% 610 or more): beyond it" in floor_sentence(found, some)


def test_a_place_with_fewer_seeds_than_another_says_how_many(found: DeepRegression) -> None:
    few = {"target": "rpi4", "seeds": 1, "stops": 896.0}
    assert floor_sentence(found, floor("within", *FLAT, **few)).startswith("int8 TFLite on rpi4 (1 seed) stops the law")
    assert floor_sentence(found, floor("within", *FLAT, **few | {"seeds": 3})).startswith("int8 TFLite on rpi4 stops")


def test_an_error_that_still_moves_is_not_said_to_stay(found: DeepRegression) -> None:
    points = (*FLAT[:2], (2000, 1e-5, 1e-5, 2e-5))
    one = floor("within", *points, stops=896.0)
    said = floor_sentence(found, one)
    assert "bends but does not stop the law at about 900 images" in said
    assert "the error goes from 5.0e-5 to 2.0e-5 at 2,000 images, as trained from 3.0e-5 to 1.0e-5" in said
    assert (stop_words(one), meet_words(one)) == ("bent at 900", "equal at 900")
    assert "too few sizes lie before it for an exponent" in said


def test_two_neighbouring_sizes_show_no_level(found: DeepRegression) -> None:
    points = (*FLAT[:1], (2800, 3.6e-5, 6e-5, 9.8e-5), (4000, 3.3e-5, 4.8e-5, 7.7e-5))
    one = floor("within", *points, stops=2416.0)
    said = floor_sentence(found, one)
    assert stop_words(one) == "stops or bends at 2,400"
    assert "stays near" not in said
    assert "the error goes from 9.8e-5 to 7.7e-5 at 4,000 images, as trained from 3.6e-5 to 3.3e-5" in said


def test_noise_larger_everywhere_that_falls_as_fast_does_not_stop_the_law(found: DeepRegression) -> None:
    one = floor("before", *FLAT[1:], whole=value(0.63), trained=value(0.52))
    assert floor_sentence(found, one).startswith("int8 TFLite bends but does not stop the law before 1,000 images")
    assert (stop_words(one), meet_words(one)) == ("bent before 1,000", "equal before 1,000")


def test_one_size_beyond_is_set_beside_its_training(found: DeepRegression) -> None:
    said = floor_sentence(found, floor("within", *FLAT, stops=1500.0))
    assert "stops or bends the law at about 1,500 images" in said  # one size shows neither
    assert "the error is 5.0e-5 at 2,000 images, where it is 1.0e-5 as trained" in said


def test_noise_larger_everywhere(found: DeepRegression) -> None:
    said = floor_sentence(found, floor("before", *FLAT[1:], grid=1e-6, grid_share=0.031))
    assert said.startswith(
        "int8 TFLite has stopped the law before 1,000 images: its noise exceeds the error as trained"
    )
    assert said.endswith("as trained 1.40 (1.20 to 1.60); rounding the output to its grid makes 3.1% of the noise.")


@pytest.mark.parametrize(
    ("beyond", "words"),
    [
        (21_600.0, "it would get there at about 22,000"),
        (None, "it never gets there"),
    ],
)
def test_a_law_that_goes_on(found: DeepRegression, beyond: float | None, words: str) -> None:
    said = floor_sentence(found, floor("after", FLAT[0], (1000, 5e-5, 1e-5, 6e-5), beyond=beyond))
    assert f"there its noise is 20% of the error as trained, and by straight lines through both {words};" in said


def test_a_law_in_parameters_speaks_of_parameters(found: DeepRegression) -> None:
    said = floor_sentence(found, floor("within", *FLAT, stops=896.0).model_copy(update={"along": "parameters"}))
    assert "at about 900 parameters: beyond it the error stays near 5.0e-5 whatever is the size of the net" in said


def test_in_a_few_words() -> None:
    sides = [floor("within", *FLAT, stops=896.0), floor("before", *FLAT), floor("after", *FLAT)]
    assert [stop_words(one) for one in sides] == ["stops at 900", "stopped before 500", "goes on"]

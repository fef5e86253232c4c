"""Who has the lowest error, and by how much: whoever wins is named."""

from __future__ import annotations

import pytest

from edgeval.records.deep_regression import BaselineRow, DeepRegression
from edgeval.report.deep.baselines import winner_sentences
from tests.report.deep import deep


@pytest.fixture(scope="module")
def found() -> DeepRegression:
    return deep(nets=("fcn",), outputs=("theta",))


def said(found: DeepRegression, *rows: tuple[int, float | None, dict[str, float]]) -> str:
    made = tuple(BaselineRow(output="theta", images=n, mean=0.08, ridge=ridge, nets=nets) for n, ridge, nets in rows)
    return winner_sentences(found.model_copy(update={"baselines": made}))[0]


def test_kernel_ridge_may_win(found: DeepRegression) -> None:
    words = said(found, (250, 1e-4, {"fcn": 4e-4}), (500, 2e-5, {"fcn": 9e-5, "resnet": 2e-4}))
    assert words == (
        "theta: kernel ridge has the lowest error at all 2 sizes of the training set. At 500 images: kernel ridge"
        " 2.00e-5, fcn 9.00e-5 (4.5 times that), resnet 2.00e-4 (10 times that), mean predictor 8.00e-2"
        " (4,000 times that)."
    )


def test_where_another_takes_over(found: DeepRegression) -> None:
    words = said(found, (250, 1e-4, {"fcn": 4e-4}), (500, 8e-5, {"fcn": 9e-5}), (1000, 7e-5, {"fcn": 2e-5}))
    assert "kernel ridge has the lowest error up to 500 images, fcn from 1,000 images on" in words


def test_to_and_fro_is_counted(found: DeepRegression) -> None:
    words = said(found, (1, 1e-4, {"a": 4e-4}), (2, 8e-5, {"a": 1e-5}), (3, 1e-5, {"a": 2e-5}))
    assert "the lowest error changes hands: kernel ridge at 2, a at 1 of 3 sizes" in words


def test_a_net_that_learned_nothing_is_said_to(found: DeepRegression) -> None:
    words = said(found, (250, None, {"fcn": 0.09, "vit": 0.01}), (500, None, {"fcn": 0.08, "vit": 0.01}))
    assert words.endswith("fcn does NOT beat the mean predictor at 250, 500 images.")


def test_nothing_to_say_without_rivals(found: DeepRegression) -> None:
    rows = (BaselineRow(output="theta", images=9, mean=0.08, ridge=None, nets={}),)
    assert winner_sentences(found.model_copy(update={"baselines": rows})) == []


def test_beside_an_error_of_zero_nobody_is_a_multiple(found: DeepRegression) -> None:
    words = said(found, (250, 0.0, {"fcn": 0.01}))
    assert "kernel ridge 0.00e0, fcn 1.00e-2, mean predictor 8.00e-2." in words

"""Committed results are what the committed answers give."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from edgeval.records.answers import read_answers
from edgeval.records.regressors import read_regressors
from edgeval.workflow.deep import study_of_errors
from edgeval.workflow.deep_report import write_deep
from edgeval.workflow.study import study_of_file, study_of_paper
from edgeval.workflow.study_report import write_study

DOCS = Path(__file__).parents[1] / "docs" / "results"
VIT = ("tflite-int8", "tflite-w8")
RESULTS, DEEP = DOCS / "tiny-regime", DOCS / "deep-regression"


def same(made: str, kept: str) -> bool:
    """Word for word, and number for number to the last digit but one."""
    numbers = [[float(x.replace(",", "")) for x in re.findall(r"\d[\d,]*\.?\d*", text)] for text in (made, kept)]
    words = [re.sub(r"\d[\d,]*\.?\d*", "0", text) for text in (made, kept)]
    return words[0] == words[1] and numbers[0] == pytest.approx(numbers[1], rel=2e-3, abs=2e-3)


def test_the_report_of_the_trained_networks(tmp_path: Path) -> None:
    page = write_study(study_of_file(RESULTS / "answers.npz"), tmp_path)
    assert same(page.with_suffix(".md").read_text(), (RESULTS / "study.md").read_text())


def test_the_report_of_the_published_figures(tmp_path: Path) -> None:
    page = write_study(study_of_paper(), tmp_path)
    assert same(page.with_suffix(".md").read_text(), (RESULTS / "published.md").read_text())


def test_the_report_of_the_trained_regressors(tmp_path: Path) -> None:
    page = write_deep(study_of_errors(DEEP / "errors.npz"), tmp_path)
    assert same(page.with_suffix(".md").read_text(), (DEEP / "study.md").read_text())


def test_the_emulated_board_gives_the_numbers_of_the_desktop_but_for_the_transformer() -> None:
    """Convolutions and dense layers answer the same to the bit, int8 LayerNorm does not, int8 weights alone almost."""
    found = read_regressors(DEEP / "errors.npz")
    at = {model.key: k for k, model in enumerate(found.models)}
    moved = {
        key: np.abs(found.offsets[k] - found.offsets[at[*key[:4], "desktop"]].astype(float)) for key, k in at.items()
    }
    there = {key: gaps for key, gaps in moved.items() if key[4] == "pi4-emulated"}
    same = [gaps for key, gaps in there.items() if not key[0].startswith("vit")]
    assert (len(same), sum(gaps.size for gaps in same)) == (18, 108_000)
    assert max(gaps.max() for gaps in same) == 0
    int8, w8 = ([gaps for key, gaps in there.items() if key[0].startswith("vit") and key[3] == fmt] for fmt in VIT)
    assert (len(int8), len(w8)) == (6, 6)
    assert all(0.3 < (gaps > 0).mean() < 0.5 and gaps.max() > 0.04 for gaps in int8)
    assert max(gaps.max() for gaps in w8) < 1e-5


def test_answers_take_three_bytes_a_sample() -> None:
    path = RESULTS / "answers.npz"
    models = read_answers(path).models
    assert len(models) >= 9
    assert path.stat().st_size < len(models) * 35_000 + 100_000

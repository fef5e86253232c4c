"""What the terminal shows fits it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.records.findings import Comparison, Score
from edgeval.records.verdict import Status
from edgeval.report import wording
from edgeval.report.text import render_score, render_text
from tests.report.conftest import judge
from tests.report.hostile import hostile


def plain(text: str) -> str:
    return text.replace("−", "-").replace("→", "->")


def test_one_row_fits_a_screen(row: Comparison) -> None:
    text = render_text([row], report=Path("runs/reports/rpi4/report.html"))
    lines = text.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert len(lines) <= 24
    assert text.isascii()
    assert lines[-1] == "Report: runs/reports/rpi4/report.html"


def test_one_row_has_the_numbers_that_matter(row: Comparison) -> None:
    text = render_text([row], report=None)
    top1 = row.metrics["top1"]
    assert plain(wording.points(top1.delta)) in text
    assert plain(wording.change_interval("top1", top1.ci95)) in text
    assert f"{row.flips.lost} lost, {row.flips.gained} gained" in text
    for step in row.stages:
        line = next(line for line in text.splitlines() if line.strip().startswith(step.name))
        assert line.split()[1:4] == [f"{step.lost:,}", f"{step.gained:,}", f"{step.net:+,}" if step.net else "0"]
    assert "55 flipped" in text if row.cancelled == 55 else str(row.cancelled) in text


def test_three_rows_fit_a_screen(rows: list[Comparison]) -> None:
    text = render_text(rows, report=Path("report.html"))
    lines = text.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert len(lines) <= 28
    assert text.count("quantisation") == 3
    for row in rows:
        assert plain(wording.points(row.metrics["top1"].delta)) in text


def test_long_ladder_names_stay_apart(rows: list[Comparison]) -> None:
    named = [
        row.model_copy(update={"candidate": row.candidate.model_copy(update={"name": f"a-very-long-ladder-name:c{k}"})})
        for k, row in enumerate(rows)
    ]
    lines = render_text(named, report=None).splitlines()
    assert [sum(line.strip().startswith(f"c{k} ") for line in lines) for k in range(3)] == [2, 2, 2]
    assert max(len(line) for line in lines) <= 80


@pytest.mark.parametrize("note", ["", ": " + "a long note on what is known of the difference " * 3])
def test_how_faithful_an_emulated_board_is_comes_in_one_word(row: Comparison, note: str) -> None:
    target = row.target.model_copy(update={"fidelity": f"bit-exact{note}"})
    lines = render_text([row.model_copy(update={"target": target})], report=None).splitlines()
    assert any(line.strip().startswith("emulated, bit-exact, ") for line in lines)


def test_missing_parts_have_a_reason(plain_row: Comparison) -> None:
    text = render_text([plain_row], report=None)
    assert "needs probabilities on both sides" in text
    assert "step" not in text
    assert "None" not in text


def test_names_cannot_steer_the_terminal(row: Comparison, rows: list[Comparison]) -> None:
    for text in (render_text([hostile(row)], report=None), render_text([hostile(r) for r in rows], report=None)):
        assert all(line.isprintable() for line in text.splitlines())
        text.encode("utf-8")


def test_a_score_shows_every_measure(score: Score) -> None:
    text = render_score(score)
    assert text.splitlines()[0] == "c4 (tflite-int8), n = 4,000"
    assert "Top-1 accuracy                  50.52%  49.52% to 51.52%" in text
    assert "no interval" in text
    assert max(len(line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize("name", ["ece", "nll", "brier"])
def test_a_measure_that_cannot_be_had_says_why(score: Score, name: str) -> None:
    estimate = getattr(score, name).model_copy(update={"value": None, "ci95": None, "method": "needs probabilities"})
    text = render_score(score.model_copy(update={name: estimate}))
    assert "needs probabilities" in text
    assert "None" not in text


@pytest.mark.parametrize(
    ("status", "first"),
    [
        ("PASS", "PASS: The only rule holds."),
        ("FAIL", "FAIL: 1 of 4 rules is broken: Top-1 accuracy may drop by at most 2.00 pt, and"),
        ("INCONCLUSIVE", "INCONCLUSIVE: 2 of 3 rules are still open: ECE, Class accuracy; about 2,300"),
        ("NO_VERDICT", "NO VERDICT: the runtime's version is unknown."),
    ],
)
def test_the_verdict_comes_first_and_fits_a_screen(row: Comparison, status: Status, first: str) -> None:
    text = render_text([judge(row, status)], report=Path("report.html"))
    lines = text.splitlines()
    assert lines[0] == first
    assert max(len(line) for line in lines) <= 80
    assert len(lines) <= 24
    assert text.isascii()
    assert f"{row.flips.lost} lost, {row.flips.gained} gained" in text
    assert lines[-1] == "Report: report.html"


def test_a_rule_a_line_with_its_status(row: Comparison) -> None:
    lines = render_text([judge(row, "FAIL", look=2)], report=None).splitlines()
    at = next(k for k, line in enumerate(lines) if line.split()[:2] == ["verdict", "rule"])
    assert [line.split()[:2] for line in lines[at + 1 :] if line.startswith("  ") and line[2] != " "][:4] == [
        ["FAIL", "top1"],
        ["INCONCLUSIVE", "ece"],
        ["INCONCLUSIVE", "class_accuracy"],
        ["PASS", "latency_p95_ms"],
    ]
    assert lines[at + 1].split() == ["FAIL", "top1", "drop", "<=", "2.00", "pt", "-6.00", "pt", "-7.00", "pt"]
    assert "                about 2,300 more images decide it" in lines
    assert "  look 2 at these data: the level is spent over all looks" in lines


def test_several_verdicts_are_one_and_each(rows: list[Comparison]) -> None:
    text = render_text([judge(rows[0], "PASS"), judge(rows[1], "FAIL"), rows[2]], report=None)
    assert text.startswith("FAIL: 1 of 2 candidates. 1 of 4 rules is broken")
    assert "c12: pass" in text
    assert "c8: fail" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_hostile_rules_cannot_steer_the_terminal(judged: Comparison) -> None:
    text = render_text([hostile(judged)], report=None)
    assert all(line.isprintable() for line in text.splitlines())
    assert max(len(line) for line in text.splitlines()) <= 80
